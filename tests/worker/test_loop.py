"""The loop thread: handing work over, the database from the loop, the end and a new start."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from django.db import OperationalError

from requests_app.models import Team
from requests_app.worker import loop as loop_module
from requests_app.worker.loop import WatchLoop
from tests.worker.conftest import busy_database, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def watch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "watch"]


def test_a_result_comes_back_from_the_loops_own_thread(loop: WatchLoop) -> None:
    async def where() -> str:
        return threading.current_thread().name

    assert loop.run(where()) == "watch"


def test_a_coroutine_that_takes_too_long_is_cut_off(loop: WatchLoop) -> None:
    cut = threading.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cut.set()
            raise

    with pytest.raises(TimeoutError):
        loop.run(slow(), timeout_s=0.05)
    assert cut.wait(3)


def test_a_step_that_fails_is_logged_and_the_loop_goes_on(
    loop: WatchLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    with caplog.at_level(logging.ERROR):
        loop.spawn(broken())
        wait_for(lambda: "A step of the watch loop failed." in caplog.text)
    assert loop.run(asyncio.sleep(0, "alive")) == "alive"


def test_stop_waits_for_what_is_under_way_and_ends_the_thread(loop: WatchLoop) -> None:
    done = threading.Event()

    async def short() -> None:
        await asyncio.sleep(0.1)
        done.set()

    loop.spawn(short())
    loop.run(asyncio.sleep(0))
    loop.stop(drain_s=5)
    assert done.is_set()
    assert watch_threads() == []


def test_stop_cuts_off_what_takes_longer_and_what_that_still_begins(loop: WatchLoop) -> None:
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


def test_it_starts_again_after_a_stop(loop: WatchLoop) -> None:
    loop.run(asyncio.sleep(0))
    loop.stop()
    loop.stop()  # twice is harmless
    assert loop.run(asyncio.sleep(0, "again")) == "again"
    assert len(watch_threads()) == 1


def test_what_was_handed_to_the_database_is_written_though_its_writer_was_cancelled(
    loop: WatchLoop,
) -> None:
    async def write_and_leave() -> None:
        with busy_database(loop) as release:
            writer = loop.start(loop.database(Team.objects.create, name="Late"))
            await asyncio.sleep(0.05)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            release.set()

    loop.run(write_and_leave())
    wait_for(lambda: Team.objects.filter(name="Late").exists())


def test_no_connection_is_left_open_by_a_database_call(loop: WatchLoop) -> None:
    from django.db import connection

    def look() -> Any:
        Team.objects.count()
        assert connection.connection is not None
        return connection

    used = loop.run(loop.database(look))
    assert used.connection is None


def test_it_insists_while_the_database_is_away(
    loop: WatchLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "INSIST_EVERY_S", 0.01)
    calls: list[int] = []

    def locked_twice() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("database is locked")
        return "written"

    assert loop.run(loop.insist(locked_twice)) == "written"


def test_it_insists_for_a_limited_time(loop: WatchLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "INSIST_EVERY_S", 0.01)
    monkeypatch.setattr(loop_module, "INSIST_S", 0.05)

    def locked() -> None:
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        loop.run(loop.insist(locked))


def test_one_client_serves_one_set_of_hosts_and_key(loop: WatchLoop, settings: Any) -> None:
    async def client() -> Any:
        return loop.client()

    settings.FAL_KEY = "one:key"
    first, same = loop.run(client()), loop.run(client())
    settings.FAL_KEY = "another:key"
    other = loop.run(client())
    assert first is same
    assert other is not first
