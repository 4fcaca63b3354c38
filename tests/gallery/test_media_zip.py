"""A zip of media files: each whole or named with the reason; one team's alone; within its bounds."""

from __future__ import annotations

import base64
import csv
import io
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client

from requests_app.gallery import media_zip
from requests_app.models import FalRequest, Team
from tests.builders import hear, make_queued, make_result

DOT = b"\x89PNG\r\n\x1a\n\0\0"


async def _all(reply: Any) -> bytes:
    return b"".join([piece async for piece in reply.streaming_content])


def unpacked(reply: Any) -> zipfile.ZipFile:
    assert reply.status_code == 200, reply.content
    return zipfile.ZipFile(io.BytesIO(async_to_sync(_all)(reply)))


def table(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("FILES.csv").decode())))


@pytest.fixture
def made(team: Team, owner: User, at_sandbox: Any) -> list[FalRequest]:
    """A picture in the output and one at the host; a file that is gone."""
    base = f"{at_sandbox.url}/cdn/samples"
    inline = f"data:image/png;base64,{base64.b64encode(DOT).decode()}"
    outputs = [
        {"images": [{"url": inline}, {"url": f"{base}/walk.jpg"}]},
        {"video": {"url": f"{base}/gone.mp4"}},
    ]
    rows = []
    for number, output in enumerate(outputs):
        row = make_queued(f"req-{number}", team=team, person=owner)
        hear(row, make_result(output=output))
        rows.append(row)
    return rows


@pytest.mark.django_db(transaction=True)
def test_each_file_is_whole_or_named_with_the_reason(
    as_owner: Client, made: list[FalRequest]
) -> None:
    archive = unpacked(as_owner.get("/requests/gallery/zip/"))
    assert archive.testzip() is None
    gone, inline, remote = table(archive)
    assert archive.read(inline["file"]) == DOT
    assert archive.read(remote["file"]).startswith(b"\xff\xd8")
    assert remote["file"].endswith("walk.jpg")
    assert (gone["file"], gone["problem"]) == ("", "The file is no longer there: HTTP 404.")
    assert (
        f"{made[1].public_id} video: The file is no longer" in archive.read("MISSING.txt").decode()
    )
    assert len(archive.namelist()) == 4


@pytest.mark.django_db(transaction=True)
def test_ticked_media_alone_are_in_it(as_owner: Client, made: list[FalRequest]) -> None:
    key = f"{made[0].public_id}.1"
    archive = unpacked(as_owner.post("/requests/gallery/zip/", {"medium": [key], "id": ["x"]}))
    assert [line["in_output"] for line in table(archive)] == ["images[1]"]
    assert "MISSING.txt" not in archive.namelist()
    whole = unpacked(as_owner.post("/requests/gallery/zip/", {"id": [made[0].public_id]}))
    assert len(table(whole)) == 2
    moved = as_owner.post("/requests/gallery/zip/", {"scope": "matching", "q": "by:me"})
    assert moved["Location"] == "/requests/gallery/zip/?q=by%3Ame"


@pytest.mark.django_db(transaction=True)
def test_a_bound_is_told_and_no_file_is_cut(
    as_owner: Client, made: list[FalRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_zip, "MOST_OF_A_FILE", 100)
    _, inline, remote = table(unpacked(as_owner.get("/requests/gallery/zip/")))
    assert inline["file"]
    assert remote["problem"] == "The file is larger than 100 bytes."
    monkeypatch.setattr(media_zip, "MOST_FILES", 1)
    lines = table(unpacked(as_owner.get("/requests/gallery/zip/")))
    assert [line["problem"] for line in lines[1:]] == ["A zip has 1 files at most."] * 2


@pytest.mark.django_db(transaction=True)
def test_no_other_team_gets_one(
    as_stranger: Client, as_owner: Client, made: list[FalRequest]
) -> None:
    key = f"{made[0].public_id}.1"
    assert as_stranger.post("/requests/gallery/zip/", {"medium": [key]}).status_code == 400
    assert table(unpacked(as_stranger.get("/requests/gallery/zip/"))) == []
    for sent in ({"medium": ["odd.x"]}, {}, {"id": ["1"]}):
        assert as_owner.post("/requests/gallery/zip/", sent).status_code == 400
    assert as_owner.get("/requests/gallery/zip/?q=status:odd").status_code == 400
