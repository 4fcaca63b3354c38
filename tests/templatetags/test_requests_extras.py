"""How values look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from requests_app.models import FalRequest, Status
from requests_app.templatetags.requests_extras import (
    bytes_size,
    clip_middle,
    duration,
    icon,
    status_look,
    took,
)

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (-3, "0 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 m 0 s"),
        (200, "3 m 20 s"),
        (7260, "2 h 1 m"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_duration_reads_in_the_units_that_matter(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_400, "12.4 kB"),
     (123_400, "123 kB"), (3_100_000, "3.1 MB"), (999_600, "1.0 MB"), (7 * 10**12, "7000 GB")],
)  # fmt: skip
def test_bytes_read_as_a_person_says_them(size: int | None, text: str) -> None:
    assert bytes_size(size) == text


def test_an_id_is_cut_in_its_middle() -> None:
    assert clip_middle("short") == "short"
    assert clip_middle("0123456789abcdefghij", 9) == "0123…ghij"


def test_a_live_row_ticks_and_an_ended_one_stands() -> None:
    row = FalRequest(status=Status.IN_PROGRESS, created_at=timezone.now() - timedelta(seconds=30))
    assert "data-since=" in took(row)
    row.status, row.created_at = Status.COMPLETED, NOON
    row.accepted_at, row.started_at = NOON, NOON + timedelta(seconds=3)
    row.ended_at = NOON + timedelta(seconds=15)
    assert took(row) == '<span title="queued 3.0 s + ran 12 s">15 s</span>'


def test_every_status_has_a_look_of_its_own() -> None:
    looks = [status_look(FalRequest(status=status)) for status in Status]
    assert len({(look.key, look.word) for look in looks}) == len(Status)
    assert all(look.sentence.endswith(".") for look in looks)


def test_cancelling_and_a_users_mistake_look_different() -> None:
    asked = FalRequest(status=Status.IN_PROGRESS, cancel_asked_at=NOON)
    assert status_look(asked).word == "cancelling"
    refused = FalRequest(status=Status.FAILED, error_code=422)
    assert status_look(refused).key == "refused"
    assert status_look(FalRequest(status=Status.FAILED, error_code=503)).key == "failed"


def test_a_row_that_could_not_be_sent_does_not_look_like_a_new_one() -> None:
    assert status_look(FalRequest(status=Status.PENDING, tries=0)).word == "pending"
    assert status_look(FalRequest(status=Status.PENDING, tries=2)).word == "trying again"


def test_a_place_in_the_queue_reads_as_how_many_are_ahead() -> None:
    def words(ahead: int) -> str:
        return status_look(FalRequest(status=Status.IN_QUEUE, queue_position=ahead)).word

    assert (words(0), words(3)) == ("next in queue", "in queue 3")


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in icon("check")
    labelled = icon("check", label='"><script>')
    assert 'role="img"' in labelled
    assert "<script>" not in labelled
