"""Where pages load a medium from, and what they say of its end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.copies.address import addressed, addressed_many, expires_at
from requests_app.display.media import Medium
from requests_app.models import CopyState, FalRequest, MediaCopy, Team
from tests.copies.media import make_noticed, make_with_media, switch_on
from tests.views.request_page import page

pytestmark = pytest.mark.django_db
CAT, DOG = "https://fal.media/cat.png", "https://fal.media/dog.png"
DAYS_3 = {"expiration_duration_seconds": 3 * 86400 + 60}


def medium(url: str) -> Medium:
    return Medium(kind="image", url=url, path="images[0]", name="a.png")


def told(row: FalRequest, url: str = CAT, **later: float) -> str:
    [shown] = addressed(row, [medium(url)], timezone.now() + timedelta(**later))
    return shown.fate.words if shown.fate else ""


def set_state(row: FalRequest, state: CopyState, problem: str = "") -> None:
    MediaCopy.objects.filter(request=row).update(state=state, problem=problem)


def test_a_kept_medium_is_loaded_from_here_and_every_other_from_fal(
    team: Team, owner: User
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT, DOG)
    MediaCopy.objects.filter(request=row, url=DOG).update(state=CopyState.KEPT)
    cat, dog, inline = addressed(row, [medium(CAT), medium(DOG), medium("data:image/png;base64,AA==")], timezone.now())  # fmt: skip
    assert (cat.address, cat.kept) == (CAT, "")
    assert dog.address == dog.kept == f"/requests/{row.public_id}/copies/2/"
    assert dog.url == DOG
    assert inline.address == inline.url
    assert [one.fate.words if one.fate else "" for one in (cat, dog, inline)] == ["waits to be kept here", "kept here", ""]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "seconds"),
    [
        (DAYS_3, 3 * 86400 + 60),
        (json.dumps(DAYS_3), 3 * 86400 + 60),
        ({"expiration_duration_seconds": None}, None),
        ({"expiration_duration_seconds": True}, None),
        ({"expiration_duration_seconds": 0}, None),
        ({"expiration_duration_seconds": 10**400}, 3_000_000_000),
        ({"expiration_duration_seconds": "soon"}, None),
        ({}, None),
        ("not json", None),
        (None, None),
    ],
)
def test_fal_deletes_files_as_the_request_asked_for_and_keeps_them_else(
    team: Team, owner: User, option: Any, seconds: int | None
) -> None:
    row = make_with_media(team, owner, CAT)
    row.options = {"object_lifecycle_preference": option}
    assert row.ended_at is not None
    wanted = row.ended_at + timedelta(seconds=seconds) if seconds else None
    assert expires_at(row) == wanted


def test_the_end_at_fal_is_counted_down_and_then_the_medium_is_gone(
    team: Team, owner: User
) -> None:
    row = make_with_media(team, owner, CAT, object_lifecycle_preference=DAYS_3)
    assert told(row) == "expires at fal in 3 d"
    assert told(row, days=2, hours=23) == "expires at fal in 1 h"
    assert told(row, days=4) == "gone"
    assert told(make_with_media(team, owner, CAT)) == ""


def test_what_is_not_kept_says_why_and_a_kept_one_outlives_its_end_at_fal(
    team: Team, owner: User
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT, object_lifecycle_preference=DAYS_3)
    assert told(row) == "waits to be kept here, expires at fal in 3 d"
    set_state(row, CopyState.TOO_LARGE, "The file is larger than 10 bytes.")
    assert told(row) == "not kept: too large, expires at fal in 3 d"
    set_state(row, CopyState.OVER_QUOTA)
    assert told(row).startswith("not kept: over quota")
    set_state(row, CopyState.FAILED)
    assert told(row).startswith("not kept, expires")
    set_state(row, CopyState.EXPIRED)
    assert told(row) == "gone"
    set_state(row, CopyState.KEPT)
    [kept] = addressed(row, [medium(CAT)], timezone.now() + timedelta(days=4))
    assert kept.fate is not None
    assert (kept.fate.words, kept.is_at_fal) == ("kept here", False)
    assert "has deleted its own" in kept.fate.sentence


def test_many_requests_take_one_query(
    team: Team, owner: User, django_assert_num_queries: Any
) -> None:
    rows = [make_with_media(team, owner, CAT) for _ in range(3)]
    with django_assert_num_queries(1):
        placed = addressed_many({row: [medium(CAT)] for row in rows}, timezone.now())
    assert [media[0].address for media in placed.values()] == [CAT] * 3
    with django_assert_num_queries(0):
        addressed_many({rows[0]: [replace(medium(CAT), url="data:image/png;base64,AA==")]}, timezone.now())  # fmt: skip


def test_pages_show_our_copy_and_what_becomes_of_the_others(
    team: Team, owner: User, as_owner: Client
) -> None:
    switch_on(team)
    row = make_noticed(team, owner, CAT, DOG)
    MediaCopy.objects.filter(request=row, number=1).update(state=CopyState.KEPT)
    text = page(as_owner, row)
    assert f'src="/requests/{row.public_id}/copies/1/"' in text
    assert f'src="{DOG}"' in text
    assert f'data-copy="{CAT}"' in text
    assert "kept here</span>" in text
    assert "waits to be kept here</span>" in text
