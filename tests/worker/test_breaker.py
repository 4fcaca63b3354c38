"""When the breaker opens, when it lets a probe through, and what closes it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from requests_app.fal import (
    BadReply,
    FalError,
    NotFinished,
    NotSent,
    Refused,
    TooLarge,
    Unanswered,
)
from requests_app.worker.breaker import FAILURES, Breaker, is_outage

AWAY = NotSent("refused")
THERE = Refused("no", status_code=404)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def hear(breaker: Breaker, *outcomes: FalError | None) -> Breaker:
    for outcome in outcomes:
        with suppress(FalError), breaker.listening():
            if outcome:
                raise outcome
    return breaker


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotSent("DNS"), True),
        (Unanswered("reset"), True),
        (Unanswered("gateway page", status_code=502), True),
        (Unanswered("unavailable", status_code=503), True),
        (Unanswered("unreadable", status_code=200), False),
        (Unanswered("redirect", status_code=302), False),
        (TooLarge("256 MB", status_code=200), False),
        (BadReply("a header of 100 kB"), False),
        (Refused("busy", status_code=429), False),
        (Refused("bad key", status_code=401), False),
        (Refused("unknown", status_code=404), False),
        (NotFinished("soon"), False),
    ],
)
def test_an_outage_is_that_fal_was_not_there(error: FalError, expected: bool) -> None:
    assert is_outage(error) == expected


def test_it_opens_with_the_fifth_outage_in_a_row() -> None:
    breaker = hear(Breaker("x"), *[AWAY] * (FAILURES - 1))
    assert not breaker.is_open
    assert hear(breaker, AWAY).is_open


@pytest.mark.parametrize("answer", [None, THERE])
def test_any_answer_in_between_starts_the_count_anew(answer: FalError | None) -> None:
    breaker = hear(Breaker("x"), *[AWAY] * 4, answer, *[AWAY] * 4)
    assert not breaker.is_open


@pytest.mark.parametrize("answer", [None, THERE])
def test_the_first_answer_closes_it(answer: FalError | None) -> None:
    assert not hear(Breaker("x"), *[AWAY] * 50, answer).is_open


def test_the_error_itself_goes_on() -> None:
    with pytest.raises(NotSent, match="refused"), Breaker("x").listening():
        raise AWAY


def test_a_call_that_was_cut_off_says_nothing() -> None:
    breaker = hear(Breaker("x"), *[AWAY] * FAILURES)
    with suppress(KeyboardInterrupt), breaker.listening():
        raise KeyboardInterrupt
    assert breaker.is_open


def test_one_caller_a_second_may_probe_and_only_while_it_is_open() -> None:
    clock = Clock()
    breaker = Breaker("x", clock=clock)
    assert not breaker.may_probe()
    hear(breaker, *[AWAY] * FAILURES)
    assert not breaker.may_probe()  # it has just been asked
    clock.now += 1
    assert [breaker.may_probe() for _ in range(3)] == [True, False, False]
    clock.now += 0.9
    assert not breaker.may_probe()
    clock.now += 0.1
    assert breaker.may_probe()


def test_it_says_once_that_fal_went_and_once_that_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hear(Breaker("x"), *[AWAY] * 9, None, None)
    assert [record.getMessage()[:18] for record in caplog.records] == [
        "fal's queue is dow",
        "fal's queue is up ",
    ]
