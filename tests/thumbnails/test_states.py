"""When a thumbnail is wanted, made, failed for a while and for good; and how it goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from requests_app.display.summary import IN_OUTPUT
from requests_app.models import FalRequest, Team, Thumbnail
from requests_app.thumbnails import states
from requests_app.thumbnails.files import read_file
from requests_app.thumbnails.picture import SIZES
from requests_app.thumbnails.problems import NoThumbnail
from tests.builders import make_request

NOW = datetime(2026, 5, 1, tzinfo=UTC)
CAT = "https://fal.media/files/cat.png"
SMALL = {size: b"webp" * size for size in SIZES}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where the files are."""
    settings.DATA_DIR = tmp_path
    return tmp_path / "thumbnails"


@pytest.fixture
def pictured(team: Team, owner: User) -> FalRequest:
    """A request with a picture, which no page has shown yet."""
    return with_picture(team, owner)


def with_picture(team: Team, owner: User, url: str = CAT) -> FalRequest:
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(thumbnail_url=url)
    return FalRequest.objects.get(pk=row.pk)


def look(row: FalRequest, now: datetime = NOW) -> states.ThumbnailLook | None:
    return states.look_at(FalRequest.objects.get(pk=row.pk), now)


def made(row: FalRequest, now: datetime = NOW) -> None:
    states.want([row], now)
    for wanted in states.take_wanted(now, 10):
        states.keep_made(wanted, SMALL, now)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_a_page_wants_is_taken_once_and_shown_when_it_is_made(pictured: FalRequest) -> None:
    assert look(pictured) == states.ThumbnailLook()
    assert states.take_wanted(NOW, 10) == []
    states.want([pictured], NOW)
    states.want([pictured], NOW)
    [wanted] = states.take_wanted(NOW, 10)
    assert (wanted.pk, wanted.url) == (pictured.pk, CAT)
    assert states.take_wanted(NOW, 10) == []
    assert look(pictured) == states.ThumbnailLook()
    states.keep_made(wanted, SMALL, NOW)
    shown = look(pictured)
    assert shown is not None
    assert shown.version
    assert read_file(pictured.public_id, 96) == SMALL[96]
    assert states.take_wanted(NOW + timedelta(days=9), 10) == []


def test_what_a_dead_worker_had_taken_is_free_after_a_minute(pictured: FalRequest) -> None:
    states.want([pictured], NOW)
    assert states.take_wanted(NOW, 1)
    assert states.take_wanted(NOW + states.TAKEN_FOR, 1)


def test_a_failure_is_kept_and_tried_again_after_growing_pauses_and_at_last_never(
    pictured: FalRequest,
) -> None:
    states.want([pictured], NOW)
    now = NOW
    for pause in states.PAUSES:
        [wanted] = states.take_wanted(now, 10)
        states.note_failed(wanted, NoThumbnail("HTTP 404.", is_final=False), now)
        assert look(pictured, now) == states.ThumbnailLook(problem="HTTP 404.")
        assert states.take_wanted(now + pause - timedelta(seconds=1), 10) == []
        now += pause
        assert look(pictured, now) == states.ThumbnailLook()
    [wanted] = states.take_wanted(now, 10)
    states.note_failed(wanted, NoThumbnail("HTTP 404.", is_final=False), now)
    assert states.take_wanted(now + timedelta(days=999), 10) == []
    assert look(pictured, now + timedelta(days=999)) == states.ThumbnailLook(problem="HTTP 404.")


def test_what_another_try_cannot_help_is_never_asked_again(pictured: FalRequest) -> None:
    states.want([pictured], NOW)
    [wanted] = states.take_wanted(NOW, 10)
    states.note_failed(wanted, NoThumbnail("It is no picture.", is_final=True), NOW)
    states.want([FalRequest.objects.get(pk=pictured.pk)], NOW + timedelta(days=9))
    assert states.take_wanted(NOW + timedelta(days=9), 10) == []


@pytest.mark.parametrize("url", ["", "https://evil.example/a.png", "data:image/svg+xml;base64,AA"])
def test_a_row_without_a_picture_that_pages_may_show_has_none(
    team: Team, owner: User, url: str
) -> None:
    assert look(with_picture(team, owner, url)) is None


def test_switched_off_a_page_shows_the_pictures_themselves(
    team: Team, owner: User, settings: Any
) -> None:
    settings.THUMBNAIL_LIMIT_BYTES = 0
    assert look(with_picture(team, owner)) == states.ThumbnailLook(original=CAT)
    assert look(with_picture(team, owner, IN_OUTPUT)) is None


def test_the_files_go_with_it(pictured: FalRequest, folder: Path) -> None:
    made(pictured)
    assert len(files(folder)) == len(SIZES)
    states.forget([pictured.pk])
    assert files(folder) == []
    assert not Thumbnail.objects.exists()


def test_a_request_that_was_emptied_in_between_keeps_no_file(
    pictured: FalRequest, folder: Path
) -> None:
    states.want([pictured], NOW)
    [wanted] = states.take_wanted(NOW, 1)
    states.forget([pictured.pk])
    states.keep_made(wanted, SMALL, NOW)
    assert files(folder) == []
    assert not Thumbnail.objects.exists()


def test_beyond_the_limit_the_oldest_go(team: Team, owner: User, folder: Path) -> None:
    rows = [with_picture(team, owner) for _ in range(10)]
    for hours, row in enumerate(rows):
        made(row, NOW + timedelta(hours=hours))
    size = sum(path.stat().st_size for path in files(folder))
    assert states.keep_within(size) == 0
    assert states.keep_within(size - 1) == 2, "down to nine tenths of it"
    assert states.keep_within(size // 2) == 4
    left = set(Thumbnail.objects.values_list("request", flat=True))
    assert left == {row.pk for row in rows[6:]}
    assert len(files(folder)) == 4 * len(SIZES)
    assert states.keep_within(0) == 4
