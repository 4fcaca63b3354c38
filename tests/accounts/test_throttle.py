"""Guesses are counted before they are looked at, in a table that nobody can grow or empty."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from requests_app.accounts import throttle
from requests_app.accounts.throttle import LIMITS, Guess, Limit, Subject, TooManyGuesses
from requests_app.models import GuessCounter

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOSS, NETWORK = Subject("account", "user 1"), Subject("network", "192.0.2.1")
MOST = LIMITS["account"].guesses


def counted(at: datetime = NOW, *subjects: Subject) -> bool:
    try:
        throttle.count(subjects or [BOSS], now=at)
    except TooManyGuesses:
        return False
    return True


def test_within_any_day_as_many_guesses_are_counted_as_the_limit_says(db: None) -> None:
    """Also at the turn of a day: the period slides."""
    hours = [NOW + timedelta(hours=hour) for hour in range(72)]
    passed = [at for at in hours for _ in range(5) if counted(at)]
    for at in hours:
        within = [one for one in passed if at - timedelta(days=1) < one <= at]
        assert len(within) <= MOST
    assert len(passed) == 3 * MOST


def test_a_refused_guess_is_told_how_long_to_wait_and_makes_the_wait_no_longer(db: None) -> None:
    for minute in range(MOST):
        assert counted(NOW + timedelta(minutes=minute))
    later = NOW + timedelta(hours=2)
    for _ in range(50):
        with pytest.raises(TooManyGuesses) as refused:
            throttle.count([BOSS], now=later)
        assert refused.value.wait == timedelta(hours=22)
    assert counted(later + timedelta(hours=22, seconds=1))


def test_a_guess_that_one_count_refuses_is_counted_nowhere(db: None) -> None:
    others = [Subject("account", f"user {number}") for number in range(2, 100)]
    for other in others[: LIMITS["network"].guesses]:
        assert counted(NOW, other, NETWORK)
    assert not counted(NOW, BOSS, NETWORK)
    assert all(counted(NOW) for _ in range(MOST))


def test_a_guess_that_was_right_is_taken_back(db: None) -> None:
    for _ in range(5 * MOST):
        throttle.take_back(throttle.count([BOSS, NETWORK], now=NOW))
    assert counted()
    throttle.take_back(Guess((Subject("account", "nobody"),), 1.0))


@pytest.mark.slow
def test_whatever_arrives_the_table_stays_within_its_slots(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "SLOTS", 8)
    assert all(counted() for _ in range(MOST))
    for number in range(300):
        counted(NOW, Subject("account", f"name {number}"), Subject("network", f"net {number}"))
        throttle.prune(now=NOW)
    assert GuessCounter.objects.count() <= 2 * 8
    assert not counted()


def test_slots_are_spread_and_not_to_be_guessed(settings: pytest.FixtureRequest) -> None:
    slots = [Subject("account", f"user {number}").slot for number in range(1000)]
    assert len(set(slots)) > 980
    settings.SECRET_KEY = "another " * 8  # type: ignore[attr-defined]
    assert [Subject("account", f"user {number}").slot for number in range(1000)] != slots


def test_pruning_removes_what_no_longer_counts_and_nothing_else(db: None) -> None:
    assert counted(NOW, BOSS)
    throttle.prune(now=NOW + timedelta(hours=23))
    assert GuessCounter.objects.count() == 1
    throttle.prune(now=NOW + timedelta(hours=25))
    assert not GuessCounter.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("prunes", [False, True])
def test_of_many_guesses_at_once_no_more_than_the_limit_are_counted(prunes: bool) -> None:
    passed: list[bool] = []
    errors: list[BaseException] = []
    gate = threading.Barrier(8)

    def run(work: Callable[[], None]) -> None:
        try:
            gate.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    def guess(number: int) -> None:
        for turn in range(6):
            network = Subject("network", f"{number} {turn}")
            passed.append(counted(NOW, *sorted([BOSS, network], key=lambda _: number % 2)))
            if prunes:
                throttle.prune(now=NOW - timedelta(days=1))

    threads = [
        threading.Thread(target=run, args=[lambda number=number: guess(number)])
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sum(passed) == MOST


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"), (1, "2 seconds"), (58, "59 seconds"), (59, "60 seconds"), (60, "2 minutes"),
        (119.5, "2 minutes"), (3599, "60 minutes"), (3600, "2 hours"), (79_200, "23 hours"),
    ],
)  # fmt: skip
def test_a_wait_is_told_in_words_and_never_too_short(seconds: float, words: str) -> None:
    assert throttle.in_words(timedelta(seconds=seconds)) == words


def test_a_limit_is_what_the_operator_was_told() -> None:
    assert LIMITS["account"] == Limit(20, timedelta(days=1))
