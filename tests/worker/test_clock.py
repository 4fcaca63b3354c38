"""Without a tick from outside the worker sweeps by itself; with one it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from requests_app.worker import clock as clock_module
from requests_app.worker.clock import Clock

SILENCE_S = 0.2


class Sweeps:
    """Stands where the sweep is, and counts."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    async def __call__(self) -> int:
        self.count += 1
        if self.fails:
            raise ConnectionError("the database is away")
        return 0


@pytest.fixture
def sweeps(monkeypatch: pytest.MonkeyPatch) -> Sweeps:
    counted = Sweeps()
    monkeypatch.setattr(clock_module, "sweep", counted)
    return counted


@pytest.fixture
def clock(sweeps: Sweeps) -> Iterator[Clock]:
    one = Clock(every_s=0.02, silence_s=SILENCE_S)
    one.start()
    yield one
    one.stop()


def soon(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def test_it_sweeps_again_and_again_when_nothing_is_heard(clock: Clock, sweeps: Sweeps) -> None:
    assert soon(lambda: sweeps.count > 2)


@pytest.mark.slow
def test_it_is_idle_while_ticks_come_from_outside(clock: Clock, sweeps: Sweeps) -> None:
    began = heard = time.monotonic()
    silence = 0.0
    while (now := time.monotonic()) - began < 0.6:
        clock.note_tick()
        silence, heard = max(silence, now - heard), now
        time.sleep(0.01)
    assert sweeps.count == 0 or silence > SILENCE_S  # this thread itself stood still
    assert soon(lambda: sweeps.count > 0)  # and takes over when they stop


def test_a_sweep_that_fails_does_not_end_it(clock: Clock, sweeps: Sweeps) -> None:
    sweeps.fails = True
    assert soon(lambda: sweeps.count > 2)


def test_it_sweeps_no_more_once_stopped(clock: Clock, sweeps: Sweeps) -> None:
    assert soon(lambda: sweeps.count > 0)
    clock.stop()
    before = sweeps.count
    time.sleep(0.1)
    assert sweeps.count == before


def test_stopping_a_clock_that_never_started_is_harmless(sweeps: Sweeps) -> None:
    Clock().stop()
