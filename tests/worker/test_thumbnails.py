"""The worker makes what pages want, from addresses and from outputs themselves, and outlives each failure."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import tasks
from requests_app.display.summary import of_output
from requests_app.models import CopyState, FalRequest, KeptFile, MediaCopy, OutputPart, Team
from requests_app.thumbnails import states
from requests_app.thumbnails.files import read_file
from requests_app.thumbnails.further import further_looks, want_further
from requests_app.worker.thumbnails import maker
from tests.builders import make_request
from tests.fal.peer import Peer, reply
from tests.thumbnails.pictures import bomb, opened, png

pytestmark = pytest.mark.django_db(transaction=True)

PNG = png()


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def media_host(loop: Any, settings: Any) -> Any:
    """A scripted host on the worker's loop."""
    peer = Peer()
    loop.run(peer.start())
    settings.FAL_MEDIA_HOSTS = [peer.url]
    yield peer
    loop.run(peer.stop())


@pytest.fixture
def pictured(team: Team, owner: User) -> Any:
    """pictured(output, content_type): a request with that output, which a page wants a thumbnail of."""

    def make(output: Any, content_type: str = "application/json") -> FalRequest:
        body = output if isinstance(output, bytes) else json.dumps(output).encode()
        columns = {"output": body, "output_type": content_type, "output_size": len(body)}
        row = make_request(team=team, person=owner)
        FalRequest.objects.filter(pk=row.pk).update(**columns, **of_output(columns))
        row.refresh_from_db()
        states.want([row], timezone.now())
        return row

    return make


def look(row: FalRequest) -> states.ThumbnailLook:
    found = states.look_at(FalRequest.objects.get(pk=row.pk), timezone.now())
    assert found is not None
    return found


def inline(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_more_than_are_fetched_at_once_are_all_made(
    loop: Any, media_host: Peer, pictured: Any
) -> None:
    rows = [pictured({"image": f"{media_host.url}/{number}.png"}) for number in range(9)]
    media_host.will(*[reply(200, PNG, "image/png")] * len(rows))
    loop.run(maker.make_wanted(), timeout_s=60)
    assert all(look(row).version for row in rows)
    assert len(media_host.requests) == len(rows)
    assert opened(read_file(rows[0].public_id, 320) or b"").size == (320, 240)


def test_one_bad_picture_keeps_its_reason_and_harms_no_other(
    loop: Any, media_host: Peer, pictured: Any
) -> None:
    bodies = [
        (reply(200, b"<svg/>", "image/png"), "not a picture"),
        (reply(200, b"<!doctype html>", "image/png"), "not a picture"),
        (reply(200, bomb(9000, 9000), "image/png"), "too large"),
        (reply(404), "no longer there"),
        (reply(200, PNG, "image/png"), ""),
    ]
    for number, (step, problem) in enumerate(bodies):
        row = pictured({"image": f"{media_host.url}/{number}.png"})
        media_host.will(step)
        loop.run(maker.make_wanted(), timeout_s=60)
        assert problem in look(row).problem
        assert bool(look(row).version) is not bool(problem)
    loop.run(maker.make_wanted(), timeout_s=60)
    assert len(media_host.requests) == len(bodies), "a failure is not asked again at once"


def test_a_picture_in_the_output_itself_is_made_small(loop: Any, pictured: Any) -> None:
    in_json = pictured({"image": {"url": inline(PNG), "content_type": "image/png"}})
    raw = pictured(PNG, "image/png")
    loop.run(maker.make_wanted(), timeout_s=60)
    assert look(in_json).version == look(raw).version != ""


def test_every_picture_of_an_output_is_made(loop: Any, media_host: Peer, pictured: Any) -> None:
    urls = [f"{media_host.url}/{number}.png" for number in range(3)]
    row = pictured({"images": [*urls, {"url": inline(PNG), "content_type": "image/png"}]})
    want_further(further_looks([row], timezone.now()), timezone.now())
    media_host.will(*[reply(200, PNG, "image/png")] * len(urls))
    loop.run(maker.make_wanted(), timeout_s=60)
    looks = further_looks([row], timezone.now())
    assert sorted(number for _, number in looks) == [1, 2, 3]
    assert all(one.version for one in looks.values())
    assert look(row).version
    assert sorted(asked.path for asked in media_host.requests) == ["/0.png", "/1.png", "/2.png"]
    assert opened(read_file(row.public_id, 320, 3) or b"").size == (320, 240)


def test_a_large_output_is_put_together(loop: Any, pictured: Any) -> None:
    row = pictured(PNG, "image/png")
    FalRequest.objects.filter(pk=row.pk).update(output=PNG[:200])
    OutputPart.objects.create(request=row, number=1, data=PNG[200:])
    loop.run(maker.make_wanted(), timeout_s=60)
    assert look(row).version


def test_an_output_that_was_removed_meanwhile_is_told(loop: Any, pictured: Any) -> None:
    row = pictured(PNG, "image/png")
    FalRequest.objects.filter(pk=row.pk).update(output=None)
    loop.run(maker.make_wanted(), timeout_s=60)
    assert look(row).problem == "The output was removed."


def test_a_disk_that_takes_nothing_is_a_failure_that_is_tried_again(
    loop: Any, pictured: Any, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "thumbnails").write_text("a file in its place")
    row = pictured(PNG, "image/png")
    loop.run(maker.make_wanted(), timeout_s=60)
    assert look(row).problem == "The thumbnail could not be made."
    assert row.thumbnail.due_at is not None


def test_the_task_that_pages_send_makes_them(loop: Any, pictured: Any) -> None:
    row = pictured(PNG, "image/png")
    tasks.make_thumbnails()
    loop.stop(drain_s=60)
    assert look(row).version


def test_a_picture_that_is_kept_here_is_not_fetched_again(
    loop: Any, media_host: Peer, pictured: Any, team: Team, settings: Any, tmp_path: Path
) -> None:
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}
    row = pictured({"image": f"{media_host.url}/a.png"})
    now = timezone.now()
    file = KeptFile.objects.create(team=team, sha256="a" * 64, size=len(PNG), name="1/aa/a", created_at=now)  # fmt: skip
    (tmp_path / "copies/1/aa").mkdir(parents=True)
    (tmp_path / "copies/1/aa/a").write_bytes(PNG)
    MediaCopy.objects.create(
        request=row, team=team, number=1, url=f"{media_host.url}/a.png", path="image", kind="image",
        name="a.png", file=file, state=CopyState.KEPT, changed_at=now,
    )  # fmt: skip
    loop.run(maker.make_wanted(), timeout_s=60)
    assert look(row).version
    assert media_host.requests == []
