"""The loop thread: submitting work, stopping, starting again."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from requests_app.worker.loop import LoopThread
from tests.worker.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def watch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "worker-loop"]


def test_a_result_comes_back_from_the_loops_own_thread(loop: LoopThread) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert loop.run(where()) == "worker-loop"


def test_a_coroutine_that_takes_too_long_is_cut_off(loop: LoopThread) -> None:
    cut = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cut.set()
            raise

    with pytest.raises(TimeoutError):
        loop.run(slow(), timeout_s=0.05)
    assert cut.wait(30)


def test_a_step_that_fails_is_logged_and_the_loop_goes_on(
    loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    with caplog.at_level(logging.ERROR):
        loop.spawn(broken())
        wait_for(lambda: "A step of the worker loop failed." in caplog.text)
    assert loop.run(asyncio.sleep(0, "alive")) == "alive"


def test_stop_waits_for_what_is_under_way_and_ends_the_thread(loop: LoopThread) -> None:
    done = threading.Event()

    async def short() -> None:
        await asyncio.sleep(0.1)
        done.set()

    loop.spawn(short())
    loop.run(asyncio.sleep(0))
    loop.stop(drain_s=30)
    assert done.is_set()
    assert watch_threads() == []


def test_stop_cuts_off_what_takes_longer_and_what_that_still_begins(loop: LoopThread) -> None:
    ends: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ends.append("child")

    async def parent() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            loop.start(child())
            await asyncio.sleep(0)
            ends.append("parent")

    loop.spawn(parent())
    loop.run(asyncio.sleep(0))
    loop.stop(drain_s=0.05)
    assert sorted(ends) == ["child", "parent"]


def test_it_starts_again_after_a_stop(loop: LoopThread) -> None:
    loop.run(asyncio.sleep(0))
    loop.stop()
    loop.stop()  # twice is harmless
    assert loop.run(asyncio.sleep(0, "again")) == "again"
    assert len(watch_threads()) == 1
