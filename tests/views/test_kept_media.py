"""Our own copies are sent to members of the team alone, in ranges, and never as something that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.copies import states
from requests_app.copies.store import copy_store
from requests_app.models import FalRequest, KeptFile, MediaCopy, Team
from tests.copies.media import make_noticed, switch_on
from tests.copies.media import states as states_of
from tests.thumbnails.pictures import png

pytestmark = pytest.mark.django_db
PNG = png()
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}


def kept(row: FalRequest, content: bytes, shown_type: str) -> FalRequest:
    [taken] = states.take_due(timezone.now(), 1)
    path = Path(copy_store().path("coming"))  # type: ignore[attr-defined]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    came = states.Fetched(path, "ab" * 32, len(content), shown_type)
    file = states.reserve(taken, came, timezone.now())
    copy_store().put(file.name, path)
    states.confirm(taken, file, came, timezone.now())
    return row


def url(row: FalRequest, number: int = 1) -> str:
    return reverse("requests:kept_media", args=[row.public_id, number])


def body(reply: Any) -> bytes:
    async def joined() -> bytes:
        return b"".join([piece async for piece in reply])

    return async_to_sync(joined)()


@pytest.fixture
def cat(team: Team, owner: User) -> FalRequest:
    """A request whose picture is kept."""
    switch_on(team)
    return kept(make_noticed(team, owner, "https://fal.media/cat.png"), PNG, "image/png")


def test_members_get_it_whole_and_a_stranger_or_a_wrong_number_nothing(
    cat: FalRequest, as_owner: Client, as_viewer: Client, as_stranger: Client, client: Client
) -> None:
    for browser in (as_owner, as_viewer):
        reply = browser.get(url(cat))
        assert (reply.status_code, reply["Content-Type"]) == (200, "image/png")
        assert body(reply) == PNG
    assert reply["Content-Length"] == str(len(PNG))
    assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Cache-Control"] == "private, no-cache"
    assert reply["Content-Disposition"] == 'inline; filename="cat.png"'
    assert as_stranger.get(url(cat)).status_code == 404
    assert client.get(url(cat)).status_code in (302, 401)
    for number in (0, 2, 2**15, 2**70):
        assert as_owner.get(url(cat, number)).status_code == 404


def test_a_player_gets_the_range_that_it_asks_for(cat: FalRequest, as_owner: Client) -> None:
    size = len(PNG)
    for asked, first, last in [("0-9", 0, 9), ("10-", 10, size - 1), ("-5", size - 5, size - 1)]:
        reply = as_owner.get(url(cat), headers={"Range": f"bytes={asked}"})
        assert reply.status_code == 206
        assert reply["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert body(reply) == PNG[first : last + 1]
    reply = as_owner.get(url(cat), headers={"Range": f"bytes={size}-"})
    assert (reply.status_code, reply["Content-Range"]) == (416, f"bytes */{size}")


def test_what_the_browser_has_is_not_sent_again_and_a_range_is_of_that_version(
    cat: FalRequest, as_owner: Client
) -> None:
    whole = as_owner.get(url(cat))
    etag = whole["ETag"]
    assert body(whole) == PNG
    again = as_owner.get(url(cat), headers={"If-None-Match": f'"x", {etag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    ranged = {"Range": "bytes=0-9"}
    for known, status in ((etag, 206), ('"other"', 200)):
        reply = as_owner.get(url(cat), headers={**ranged, "If-Range": known})
        assert (reply.status_code, len(body(reply))) == (status, 10 if status == 206 else len(PNG))


@pytest.mark.parametrize("content", [SVG, b"<!doctype html><script>alert(1)</script>", b"%PDF-1.7"])
def test_what_a_browser_could_run_is_only_downloaded(
    team: Team, owner: User, as_owner: Client, content: bytes
) -> None:
    switch_on(team)
    row = kept(make_noticed(team, owner, "https://fal.media/a.svg"), content, "")
    reply = as_owner.get(url(row))
    assert reply["Content-Type"] == "application/octet-stream"
    assert reply["Content-Disposition"].startswith("attachment")
    assert body(reply) == content


def test_a_file_that_is_lost_is_a_404_and_waits_to_be_fetched_again(
    cat: FalRequest, as_owner: Client
) -> None:
    copy_store().remove(KeptFile.objects.get().name)
    assert as_owner.get(url(cat)).status_code == 404
    assert states_of(cat) == ["waiting"]


def test_a_medium_that_is_not_kept_is_a_404(cat: FalRequest, as_owner: Client) -> None:
    MediaCopy.objects.update(state="waiting")
    assert as_owner.get(url(cat)).status_code == 404
