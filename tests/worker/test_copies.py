"""The worker keeps media: whatever a media host does, each copy ends somewhere, and no half file stays."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import tasks
from requests_app.copies import states
from requests_app.models import CopyState, KeptFile, MediaCopy, Team
from requests_app.worker import copies
from requests_app.worker.copies import CopyKeeper, keeper
from tests.copies.media import make_noticed, make_with_media, switch_on
from tests.copies.media import states as states_of
from tests.fal.peer import Peer, Step, hang, raw, reply, reset, truncated
from tests.thumbnails.pictures import png

pytestmark = pytest.mark.django_db(transaction=True)

PNG = png()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files are."""
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}
    return tmp_path / "copies"


@pytest.fixture
def media_host(loop: Any, settings: Any) -> Any:
    """A scripted host on the worker's loop."""
    peer = Peer()
    loop.run(peer.start())
    settings.FAL_MEDIA_HOSTS = [peer.url]
    yield peer
    loop.run(peer.stop())


def files_in(folder: Path) -> list[Path]:
    """Every file, those that are still coming too."""
    return [path for path in folder.rglob("*") if path.is_file()]


def run(loop: Any) -> None:
    loop.run(keeper.keep_due(), timeout_s=60)


def due_again() -> None:
    MediaCopy.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


def test_what_a_request_made_is_kept_when_it_ends(
    loop: Any, media_host: Peer, team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    urls = [f"{media_host.url}/{number}.png" for number in range(6)]
    bodies = [png(colour=(number, 0, 0)) for number in range(6)]
    media_host.will(*[reply(200, body, "image/png") for body in bodies])
    row = make_with_media(team, owner, *urls)
    run(loop)
    assert states_of(row) == ["kept"] * 6
    assert sorted(path.read_bytes() for path in files_in(folder)) == sorted(bodies)
    assert set(MediaCopy.objects.values_list("shown_type", flat=True)) == {"image/png"}
    assert all(not asked.header("authorization") for asked in media_host.requests)
    run(loop)
    assert len(media_host.requests) == len(urls)


def private(peer: Peer) -> Step:
    return reply(302, location=f"http://127.0.0.1:{peer.url.rpartition(':')[2]}/secret")


FAULTS: list[tuple[str, Step | None, str, str]] = [
    ("a redirect", None, "failed", "HTTP 302"),
    ("too large", reply(200, b"\0" * 60_000), "too_large", "larger than 50,000 bytes"),
    ("endless", raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"\0" * 200_000), "too_large", "larger than"),
    ("too short", truncated(200, b"\0" * 500), "waiting", "could not be fetched"),
    ("a reset", reset, "waiting", "could not be fetched"),
    ("no HTTP", raw(b"nonsense\r\n\r\n"), "waiting", "could not be fetched"),
    ("500", reply(500, b"no"), "waiting", "HTTP 500"),
    ("404", reply(404, b"no"), "waiting", "no longer there"),
    ("too slow", hang, "waiting", "did not arrive"),
    ("packed", reply(200, b"\x1f\x8b", content_encoding="gzip"), "failed", "compressed"),
]  # fmt: skip


@pytest.mark.slow
def test_each_fault_of_a_host_is_told_leaves_no_file_and_harms_no_other(
    loop: Any, media_host: Peer, team: Team, owner: User, folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    switch_on(team, largest_bytes=50_000)
    for name, step, state, problem in FAULTS:
        monkeypatch.setattr(copies, "DEADLINE_S", 0.5 if step is hang else 60.0)
        row = make_with_media(team, owner, f"{media_host.url}/a.png")
        media_host.will(step or private(media_host))
        run(loop)
        copy = MediaCopy.objects.get(request=row)
        assert (name, copy.state) == (name, state)
        assert problem in copy.problem, name
        assert files_in(folder) == [], name
        MediaCopy.objects.update(due_at=None)
    assert {asked.path for asked in media_host.requests} == {"/a.png"}, "no redirect is followed"
    media_host.will(reply(200, PNG, "image/png"))
    row = make_with_media(team, owner, f"{media_host.url}/a.png")
    run(loop)
    assert states_of(row) == ["kept"]


def test_a_private_host_behind_an_allowed_name_is_never_asked(
    loop: Any, media_host: Peer, team: Team, owner: User, settings: Any
) -> None:
    port = media_host.url.rpartition(":")[2]
    settings.FAL_MEDIA_HOSTS = [f"http://*:{port}"]
    switch_on(team)
    row = make_with_media(team, owner, f"http://localhost:{port}/a.png")
    run(loop)
    assert states_of(row) == ["failed"]
    assert "private address" in MediaCopy.objects.get().problem
    assert media_host.connections == 0


def test_a_host_that_fails_and_recovers_is_asked_again(
    loop: Any, media_host: Peer, team: Team, owner: User
) -> None:
    switch_on(team)
    row = make_with_media(team, owner, f"{media_host.url}/a.png")
    media_host.will(reply(503), reply(404), reply(200, PNG, "application/octet-stream"))
    for _ in range(2):
        run(loop)
        assert states_of(row) == ["waiting"]
        run(loop)
        due_again()
    assert len(media_host.requests) == 2, "not before its pause is over"
    run(loop)
    copy = MediaCopy.objects.get()
    assert (copy.state, copy.problem, copy.shown_type) == ("kept", "", "image/png")


def test_a_full_quota_asks_for_nothing_and_a_large_file_is_not_read(
    loop: Any, media_host: Peer, team: Team, owner: User
) -> None:
    rules = switch_on(team, quota_bytes=1000, used_bytes=900)
    row = make_with_media(team, owner, f"{media_host.url}/a.png")
    media_host.will(reply(200, b"\0" * 200))
    run(loop)
    assert states_of(row) == ["over_quota"]
    rules.used_bytes = 1001
    rules.save()
    other = make_with_media(team, owner, f"{media_host.url}/b.png")
    run(loop)
    assert states_of(other) == ["over_quota"]
    assert len(media_host.requests) == 1


def test_two_workers_fetch_each_file_once(
    loop: Any, media_host: Peer, team: Team, owner: User
) -> None:
    switch_on(team)
    urls = [f"{media_host.url}/{number}.png" for number in range(8)]
    row = make_noticed(team, owner, *urls)
    media_host.will(*[reply(200, PNG, "image/png")] * 8)

    async def both() -> None:
        await asyncio.gather(CopyKeeper().keep_due(), CopyKeeper().keep_due())

    loop.run(both(), timeout_s=60)
    assert states_of(row) == ["kept"] * 8
    assert sorted(asked.path for asked in media_host.requests) == [f"/{n}.png" for n in range(8)]
    assert KeptFile.objects.count() == 1


def test_a_request_that_is_emptied_while_its_file_comes_keeps_nothing(
    loop: Any, media_host: Peer, team: Team, owner: User, folder: Path
) -> None:
    switch_on(team)
    make_with_media(team, owner, f"{media_host.url}/a.png")
    begun, go_on = threading.Event(), asyncio.Event()

    async def halfway(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nca")
        await writer.drain()
        begun.set()
        await go_on.wait()
        writer.write(b"ts")
        await writer.drain()

    media_host.will(halfway)
    loop.spawn(keeper.keep_due())
    assert begun.wait(30)
    MediaCopy.objects.all().delete()

    async def rest() -> None:
        go_on.set()
        while keeper._is_running:
            await asyncio.sleep(0.01)

    loop.run(rest(), timeout_s=60)
    assert not KeptFile.objects.exists()
    assert files_in(folder) == []


def test_a_worker_that_died_leaves_its_copy_to_another_one(
    loop: Any, media_host: Peer, team: Team, owner: User
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, f"{media_host.url}/a.png")
    media_host.will(reply(200, PNG, "image/png"))
    assert states.take_due(timezone.now(), 1)
    run(loop)
    assert media_host.requests == []
    MediaCopy.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    run(loop)
    assert states_of(row) == [CopyState.KEPT]


def test_the_clock_has_it_done() -> None:
    tasks.keep_copies()
    assert tasks.keep_copies.name == "requests_app.keep_copies"
