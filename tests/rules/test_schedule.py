"""When the next look is due."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from requests_app.rules.schedule import (
    POLLS_PER_S,
    RETRY_LATEST_S,
    next_poll_at,
    next_retry_at,
    next_search_at,
    shares,
)
from requests_app.worker.clock import EVERY_S

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def look_s(*, age_s: float = 0, watched_s: float | None = None, open_rows: int = 1) -> float:
    watched = None if watched_s is None else NOW + timedelta(seconds=watched_s)
    sent_at = NOW - timedelta(seconds=age_s)
    share_s = shares({1: open_rows}, POLLS_PER_S)[1]
    poll_at = next_poll_at(NOW, sent_at=sent_at, watched_until=watched, share_s=share_s)
    return (poll_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("age_s", "seconds"), [(-5, 1), (0, 1), (10, 1), (100, 10), (600, 25), (86_400, 25)]
)
def test_the_older_a_request_the_later_it_is_looked_at(age_s: float, seconds: float) -> None:
    assert look_s(age_s=age_s) == seconds


def test_an_open_page_is_worth_a_look_every_second() -> None:
    assert look_s(age_s=86_400, watched_s=5) == 1


def test_a_page_that_was_closed_counts_no_more() -> None:
    assert look_s(age_s=600, watched_s=-1) == look_s(age_s=600, watched_s=0) == 25


@pytest.mark.parametrize("open_rows", [100, 1000, 3000, 20_000, 100_000])
@pytest.mark.parametrize("watched_s", [None, 10])
def test_all_rows_together_stay_within_the_budget(open_rows: int, watched_s: float | None) -> None:
    seconds = look_s(age_s=86_400, watched_s=watched_s, open_rows=open_rows)
    assert open_rows / seconds <= POLLS_PER_S


@pytest.mark.parametrize(
    ("polls_per_s", "seconds"), [(2000, 1), (1000, 1), (200, 5), (50, 20), (10, 100)]
)
def test_the_budget_is_a_setting_and_more_of_it_makes_polls_sooner(
    polls_per_s: float, seconds: float
) -> None:
    poll_at = next_poll_at(
        NOW, sent_at=NOW - timedelta(seconds=100), watched_until=None,
        share_s=shares({1: 1000}, polls_per_s)[1], polls_per_s=polls_per_s,
    )  # fmt: skip
    assert (poll_at - NOW).total_seconds() == seconds


def test_a_team_with_many_requests_takes_nothing_from_one_with_few() -> None:
    pauses = shares({1: 5, 2: 900, 3: 90_000}, 50)
    assert pauses[1] == 1  # as if it were alone
    assert pauses[2] == 900 / 22.5
    assert pauses[3] == 90_000 / 22.5


@pytest.mark.parametrize("seed", range(20))
def test_the_shares_of_all_teams_are_the_budget_or_all_that_they_can_use(seed: int) -> None:
    chance = random.Random(seed)
    rows = {team: chance.randint(1, 2000) for team in range(chance.randint(1, 30))}
    polls_per_s = chance.uniform(1, 3000)
    rate = sum(rows[team] / pause_s for team, pause_s in shares(rows, polls_per_s).items())
    assert rate == pytest.approx(min(polls_per_s, sum(rows.values())))


@pytest.mark.parametrize("open_rows", [1, 100, 1000])
def test_with_every_webhook_lost_ends_are_seen_within_half_a_minute(open_rows: int) -> None:
    chance = random.Random(7)
    waits = sorted(unseen_s(3600 ** chance.random(), open_rows, chance) for _ in range(1000))
    assert waits[989] < 30
    assert waits[-1] < 60


def unseen_s(runs_s: float, open_rows: int, chance: random.Random) -> float:
    """By a simulated clock: how long after its end a request nobody watches is looked at."""
    age_s = 0.0
    while age_s < runs_s:
        due_s = age_s + look_s(age_s=age_s, open_rows=open_rows)
        age_s = due_s + chance.uniform(0, EVERY_S)  # until the sweep comes by
    return age_s - runs_s


def test_tries_double_up_to_a_minute() -> None:
    waits = [(next_retry_at(NOW, tries) - NOW).total_seconds() for tries in range(1, 9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (next_retry_at(NOW, 10**6) - NOW).total_seconds() == RETRY_LATEST_S


def test_what_fal_asked_for_counts_instead() -> None:
    assert next_retry_at(NOW, 1, asked_s=300) == NOW + timedelta(seconds=300)
    assert next_retry_at(NOW, 9, asked_s=2) == NOW + timedelta(seconds=2)


def search_s(age_s: float, searched: int = 1) -> float | None:
    due_at = next_search_at(NOW, NOW - timedelta(seconds=age_s), searched)
    return due_at and (due_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("age_s", "seconds"),
    [(-5, 2), (0, 2), (4, 4), (16, 16), (60, 30), (900, 30), (901, 300), (86_400, 300)],
)
def test_a_lost_request_is_looked_for_ever_less_often(age_s: float, seconds: float) -> None:
    assert search_s(age_s) == seconds


def test_after_a_day_it_is_looked_for_no_more() -> None:
    assert search_s(86_401) is None


def test_three_hundred_lost_requests_are_each_looked_for_within_a_minute() -> None:
    assert search_s(100, searched=300) == 60
    assert search_s(100, searched=100) == 30
