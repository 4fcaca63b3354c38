"""Windows of fal's log become one history."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from requests_app.fal import LogEntry
from requests_app.lifecycle.log_lines import MAX_MESSAGE, add_logs, new_logs
from requests_app.models import FalRequest, Team
from requests_app.rules import schedule
from tests.builders import make_log, make_request


def hear(row: FalRequest, *window: LogEntry) -> int:
    return sum(add_logs(row.pk, lines) for lines in new_logs(row.pk, window))


def messages(row: FalRequest) -> list[str]:
    return list(row.log_lines.order_by("id").values_list("message", flat=True))


def test_overlapping_windows_leave_each_line_once_and_in_order(row: FalRequest) -> None:
    lines = [make_log(f"line {n}", timestamp=f"t{n:02}") for n in range(10)]
    for start in range(6):
        hear(row, *lines[start : start + 5])
    assert messages(row) == [f"line {n}" for n in range(10)]


def test_a_window_that_is_known_adds_nothing(row: FalRequest) -> None:
    assert hear(row, make_log("a")) == 1
    assert list(new_logs(row.pk, [make_log("a")])) == []


def test_a_third_equal_line_of_one_moment_is_new(row: FalRequest) -> None:
    hear(row, make_log("tick"), make_log("tick"))
    assert hear(row, *[make_log("tick")] * 3) == 1
    assert messages(row) == ["tick"] * 3


def test_lines_that_differ_in_level_alone_are_two(row: FalRequest) -> None:
    assert hear(row, LogEntry("t", "INFO", "USER", "x"), LogEntry("t", "ERROR", "USER", "x")) == 2


def test_another_requests_lines_do_not_count(row: FalRequest, team: Team, owner: User) -> None:
    other = make_request(team=team, person=owner)
    assert hear(row, make_log("same")) == hear(other, make_log("same")) == 1


def test_a_window_of_thousands_is_stored_whole(row: FalRequest) -> None:
    window = [make_log(f"{n}") for n in range(1500)]
    assert hear(row, *window) == 1500
    assert list(new_logs(row.pk, window)) == []


def test_overlong_parts_are_cut(row: FalRequest) -> None:
    hear(row, LogEntry("t" * 99, "L" * 99, "S" * 99, "m" * (MAX_MESSAGE + 1)))
    line = row.log_lines.get()
    lengths = tuple(map(len, (line.timestamp, line.level, line.source, line.message)))
    assert lengths == (40, 20, 40, MAX_MESSAGE)


@pytest.mark.django_db(transaction=True)
def test_two_readers_of_one_window_store_it_once(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    window = [make_log(f"{n}") for n in range(50)]

    def read(_: int) -> None:
        try:
            hear(row, *window)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    assert sorted(messages(row)) == sorted(f"{n}" for n in range(50))


# --- fal's moving window, at the product's pace ----------------------------------------------------

WINDOW_S = 300  # of the wire protocol: about five minutes, ending now or at the finish


def polls_of(finished_s: float, *, watched: bool, lost: range = range(0)) -> list[float]:
    """When the product asks, in seconds from the start; polls numbered in `lost` go unanswered."""
    sent = datetime(2026, 5, 1, tzinfo=UTC)
    share_s = schedule.shares({1: 1000}, schedule.POLLS_PER_S)[1]
    now, times = sent, []
    for number in itertools.count():
        at_s = (now - sent).total_seconds()
        if number not in lost:
            times.append(at_s)
            if at_s >= finished_s:
                return times
        looked_at = now + timedelta(hours=1) if watched else None
        poll_at = schedule.next_poll_at(now, sent_at=sent, watched_until=looked_at, share_s=share_s)
        tries = number - lost.start + 1
        now = schedule.next_retry_at(now, tries) if number in lost else poll_at
    raise AssertionError


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("lost", [range(0), range(30, 37)], ids=["", "seven polls lost"])
def test_no_line_of_a_moving_window_is_missing_or_stored_twice(
    row: FalRequest, watched: bool, lost: range
) -> None:
    """Twenty minutes of a line every two seconds, each third of them a pair of equals."""
    finished_s, moment = 1200.0, datetime(2026, 5, 1, tzinfo=UTC)
    ledger = [
        (at_s, make_log(f"step {at_s}", timestamp=f"{moment + timedelta(seconds=at_s)}"))
        for at_s in range(0, 1200, 2)
        for _ in range(2 if at_s % 6 == 0 else 1)
    ]
    for asked_s in polls_of(finished_s, watched=watched, lost=lost):
        end_s = min(asked_s, finished_s)
        hear(row, *[line for at_s, line in ledger if end_s - WINDOW_S <= at_s <= end_s])
    assert messages(row) == [line.message for _, line in ledger]
