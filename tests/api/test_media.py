"""A program sees what an output names, what became of each copy, and reads the copy with its token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from requests_app.models import CopyState, FalRequest, MediaCopy
from tests.api.conftest import Caller
from tests.copies.media import make_noticed, switch_on
from tests.views.test_kept_media import kept

pytestmark = pytest.mark.django_db
CAT, DOG = "https://fal.media/cat.png", "https://fal.media/dog.bin"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}


@pytest.fixture
def cat(owner: Caller) -> FalRequest:
    """Two files of which the first is kept."""
    switch_on(owner.team)
    row = make_noticed(
        owner.team,
        owner.user,
        CAT,
        DOG,
        object_lifecycle_preference={"expiration_duration_seconds": 3600},
    )
    MediaCopy.objects.filter(url=DOG).update(state=CopyState.TOO_LARGE, problem="x", due_at=None)
    return kept(row, b"a cat", "image/png")


def get(caller: Caller, path: str, **headers: str) -> Any:
    return Client().get(path, headers={**caller.headers, **headers})


def test_media_have_their_copys_state_and_address(
    owner: Caller, stranger: Caller, cat: FalRequest
) -> None:
    listed = get(owner, f"/api/v1/requests/{cat.public_id}/media/").json()["items"]
    kept_one, other = listed
    assert (kept_one["url"], kept_one["copy_state"], kept_one["size"]) == (CAT, "kept", 5)
    assert (other["url"], other["copy_state"], other["problem"]) == (DOG, "too_large", "x")
    assert other["copy_url"] is None
    assert kept_one["expires_at"] > timezone.now().isoformat()
    path = kept_one["copy_url"].removeprefix("http://testserver")
    reply = get(owner, path, Range="bytes=2-4")

    async def joined() -> bytes:
        return b"".join([piece async for piece in reply])

    assert (reply.status_code, async_to_sync(joined)()) == (206, b"cat")
    assert get(stranger, path).status_code == 404
    assert stranger.get(f"{cat.public_id}/media/").status_code == 404
    for number in (0, 2, 3, 2**40):
        assert get(owner, f"/api/v1/requests/{cat.public_id}/media/{number}/").status_code == 404


def test_an_output_without_media_has_none(owner: Caller) -> None:
    reply = owner.get(f"{owner.make().public_id}/media/")
    assert reply.json() == {"items": []}


def test_a_store_that_is_away_is_told_in_json_with_a_time(
    owner: Caller, cat: FalRequest, tmp_path: Path
) -> None:
    [file] = [one for one in (tmp_path / "copies").rglob("*") if one.is_file()]
    file.unlink()
    file.mkdir()  # what a disk with an error looks like: no file, and not missing
    reply = get(owner, f"/api/v1/requests/{cat.public_id}/media/1/")
    assert reply.status_code == 503 and reply.json()["detail"]
    assert int(reply["Retry-After"]) > 0
