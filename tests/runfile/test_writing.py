"""The file of a run is whole and exact, and has no secret in it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.catalogue.store import keep_document
from requests_app.display.marks import with_tags
from requests_app.keys.encryption import encrypt
from requests_app.models import (
    Delivery,
    FalKey,
    FalRequest,
    Frame,
    LogLine,
    OutputPart,
    Source,
    digest,
)  # fmt: skip
from requests_app.runfile.writing import pieces_of
from requests_app.worker.loop import LoopThread
from tests.builders import hear, make_log, make_queued, make_request, make_result, make_status
from tests.fal.peer import Peer, reply
from tests.thumbnails.pictures import png

UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def loaded(row: FalRequest) -> FalRequest:
    return with_tags(FalRequest.objects.select_related("team", "person", "again_of")).get(pk=row.pk)


def opened(row: FalRequest) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces_of(loaded(row)))))


def told(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("run.json"))
    return found


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


@pytest.fixture
def ended(team, owner) -> FalRequest:
    """A request with everything that a file may have."""
    row = make_queued(team=team, person=owner, tags={"project": "demo"})
    lifecycle.add_tags(row.pk, ["draft"], person=owner, now=timezone.now())
    lifecycle.add_note(row.pk, "look at the sky", person=owner, now=timezone.now())
    hear(row, make_status("IN_PROGRESS", logs=[make_log("first <b>line</b>"), make_log("second")]))
    hear(row, make_result(output={"text": "</pre><script>alert(1)</script>"}))
    FalRequest.objects.filter(pk=row.pk).update(input_text='{"scale": 7.50,\n "big": 1E2}')
    Delivery.objects.create(
        request=row, received_at=timezone.now(), verdict="accepted", body=b'{"status": "OK"}', body_size=16,
        headers={"x-fal-webhook-signature": "ab", "x-fal-webhook-request-id": "req-1"}, digest="d",
    )  # fmt: skip
    Frame.objects.create(request=row, number=1, offset_ms=2.5, data="one\u2028<i>", size=6)
    Frame.objects.create(
        request=row, number=2, offset_ms=3, data="", raw=b"\x81\xa1a\xff", size=4, kind="msgpack"
    )
    return row


def test_all_that_is_kept_is_in_it_exactly(ended: FalRequest) -> None:
    archive = opened(ended)
    assert archive.testzip() is None
    run = told(archive)
    assert (run["format"], run["version"]) == ("faldeck-run", 1)
    assert archive.read("input.json") == b'{"scale": 7.50,\n "big": 1E2}'
    assert archive.read("output.json") == bytes(FalRequest.objects.get(pk=ended.pk).output or b"")
    assert [line["message"] for line in lines(archive, "logs.jsonl")] == [
        "first <b>line</b>",
        "second",
    ]
    kinds = [line["kind"] for line in lines(archive, "observations.jsonl")]
    assert kinds[0] == "created"
    assert {"sent", "accepted", "note", "tagged", "ended"} <= set(kinds)
    [delivery] = lines(archive, "deliveries.jsonl")
    assert delivery["headers"]["x-fal-webhook-signature"] == "ab"
    assert archive.read(delivery["body"]) == b'{"status": "OK"}'
    first, second = lines(archive, "frames.jsonl")
    assert (first["data"], base64.b64decode(second["raw"])) == ("one\u2028<i>", b"\x81\xa1a\xff")
    assert run["tags"] == ["draft"]
    assert run["request"]["options_sent"] == {"X-Fal-Tags": "project=demo"}
    assert run["request"]["status"] == "completed"


def test_every_file_is_listed_with_its_digest_and_the_same_run_has_the_same_content(
    ended: FalRequest,
) -> None:
    archive, again = opened(ended), opened(ended)
    files = {one["name"]: (one["size"], one["sha256"]) for one in told(archive)["files"]}
    named = {name for name in archive.namelist() if name != "run.json"}
    assert files.keys() == named
    for name, (size, sha256) in files.items():
        data = archive.read(name)
        assert (size, sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert archive.namelist() == again.namelist()
    assert told(archive)["content"] == told(again)["content"]


def test_the_document_of_the_time_of_the_request_is_in_it(team: Any, owner: Any) -> None:
    keep_document("acme/img", b'{"v": 1}', timezone.now())
    row = make_request(team=team, person=owner)
    keep_document("acme/img", b'{"v": 2}', timezone.now())
    assert opened(row).read("schema.json") == b'{"v": 1}'


def test_what_is_removed_or_still_runs_is_said(team: Any, owner: Any, ended: FalRequest) -> None:
    running = opened(make_request(team=team, person=owner))
    assert "had not ended" in running.read("index.html").decode()
    lifecycle.remove_payload(ended.pk, days=1, now=timezone.now())
    archive = opened(ended)
    assert not {"input.json", "output.json"} & set(archive.namelist())
    assert "were removed" in archive.read("index.html").decode()
    assert told(archive)["request"]["times"]["payload_removed_at"]


def test_the_page_escapes_everything_and_names_nothing_from_elsewhere(ended: FalRequest) -> None:
    page = opened(ended).read("index.html").decode()
    assert "<script" not in page
    assert "first &lt;b&gt;line" in page
    assert "look at the sky" in page
    assert re.findall(r'(?:src|href)="(?!media/|deliveries/)([^"]*[:/][^"]*)"', page) == []
    assert "default-src 'none'" in page.replace("&#x27;", "'")


@pytest.fixture
def media_host(settings: Any) -> Iterator[Peer]:
    """A scripted host on a loop of its own."""
    loop, peer = LoopThread(on_start=lambda: None, on_stop=_nothing), Peer()
    loop.run(peer.start())
    settings.FAL_MEDIA_HOSTS = [peer.url]
    yield peer
    loop.run(peer.stop())
    loop.stop()


async def _nothing() -> None:
    pass


def test_media_are_fetched_from_their_hosts_and_the_others_have_a_reason(
    team: Any, owner: Any, media_host: Peer
) -> None:
    media_host.will(reply(200, png(), "image/png"), reply(404, b"no"))
    inline = "data:image/png;base64," + base64.b64encode(png()).decode()
    here = media_host.url
    urls = [f"{here}/a.png", f"{here}/gone.png", "https://elsewhere.example/b.png", inline]
    row = make_queued(team=team, person=owner)
    hear(row, make_result(output={"images": [{"url": url} for url in urls]}))
    archive = opened(row)
    media = told(archive)["media"]
    assert [one["file"] for one in media] == ["media/001.png", None, None, "media/004.png"]
    assert archive.read("media/001.png") == archive.read("media/004.png") == png()
    assert "404" in media[1]["why_not"]
    assert "not on one of the media hosts" in media[2]["why_not"]
    page = archive.read("index.html").decode()
    assert '<img src="media/001.png"' in page
    assert "no longer there" in page


def test_no_secret_leaves_with_it(team: Any, owner: Any, settings: Any, ended: FalRequest) -> None:
    settings.FAL_KEY = "id:canary-of-the-installation"
    settings.FAL_MEDIA_HOSTS = []
    FalKey.objects.create(
        team=team, name="main", pattern="", encrypted=encrypt("team:canary-of-the-team", team_id=team.pk),
        digest=digest("x"), made_by=owner, created_at=timezone.now(), changed_at=timezone.now(),
    )  # fmt: skip
    canaries = [
        "canary-of-the-installation",
        "canary-of-the-team",
        "canary-of-the-hook",
        "canary-of-a-token",
    ]
    hook = f"https://deck.example/hooks/fal/{UUID}/canary-of-the-hook"
    text = " ".join(
        [settings.FAL_KEY, "team:canary-of-the-team", hook, "fdk_canary-of-a-token-0123"]
    )
    where = {"error": text, "status_url": f"https://q.example/?fal_webhook={hook}", "input_text": json.dumps([text]), "output": text.encode(), "output_size": len(text)}  # fmt: skip
    FalRequest.objects.filter(pk=ended.pk).update(**where)
    LogLine.objects.create(request=ended, message=text, digest="l")
    Frame.objects.create(request=ended, number=3, offset_ms=4, data=text, raw=text.encode(), size=1)
    Delivery.objects.filter(request=ended).update(
        body=text.encode(), headers={"x-fal-webhook-x": text}
    )
    lifecycle.add_note(ended.pk, text, person=owner, now=timezone.now())
    archive = opened(ended)
    found = [
        (name, canary)
        for name in archive.namelist()
        for canary in canaries
        for form in (
            canary.encode(),
            *(base64.b64encode(b"x" * n + canary.encode())[4:-4] for n in range(3)),
        )
        if form in archive.read(name)
    ]
    assert found == []
    assert told(archive)["masked"] >= 20
    assert "asterisks" in archive.read("index.html").decode()


@pytest.mark.slow
def test_a_large_record_and_output_take_no_memory(team: Any, owner: Any) -> None:
    row = make_queued(team=team, person=owner, mode="stream")
    hear(row, make_result(), source=Source.STREAM)
    part = b"\xff" * 1024 * 1024
    FalRequest.objects.filter(pk=row.pk).update(
        output=part, output_size=31 * len(part), output_type="video/mp4"
    )
    for number in range(1, 31):
        OutputPart.objects.create(request=row, number=number, data=part)
    Frame.objects.bulk_create(
        (
            Frame(request=row, number=n, offset_ms=n, data="x" * 1000, size=1000)
            for n in range(1, 2_001)
        ),
        batch_size=1000,
    )
    pieces = pieces_of(loaded(row))
    tracemalloc.start()
    try:
        total = sum(map(len, pieces))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 30 * len(part)
    assert most < 14 * len(part)
