"""Database calls from the event loop: what survives a cancelled caller, retries, connections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from requests_app.models import Team
from requests_app.worker import database_pool
from requests_app.worker.loop import LoopThread, pool
from tests.worker.conftest import busy_database, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_queued_write_is_done_although_its_caller_was_cancelled(
    loop: LoopThread,
) -> None:
    async def write_and_leave() -> None:
        with busy_database() as release:
            writer = loop.start(pool.in_database(Team.objects.create, name="Late"))
            await asyncio.sleep(0.05)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            release.set()

    loop.run(write_and_leave())
    wait_for(lambda: Team.objects.filter(name="Late").exists())


def test_no_connection_is_left_open_by_a_database_call(loop: LoopThread) -> None:
    from django.db import connection

    def look() -> Any:
        Team.objects.count()
        assert connection.connection is not None
        return connection

    used = loop.run(pool.in_database(look))
    assert used.connection is None


def test_a_write_is_retried_while_the_database_is_down(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_pool, "RETRY_EVERY_S", 0.01)
    calls: list[int] = []

    def locked_twice() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("database is locked")
        return "written"

    assert loop.run(pool.in_database_with_retry(locked_twice)) == "written"


def test_a_write_is_retried_for_a_limited_time(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_pool, "RETRY_EVERY_S", 0.01)
    monkeypatch.setattr(database_pool, "RETRY_FOR_S", 0.05)

    def locked() -> None:
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        loop.run(pool.in_database_with_retry(locked))
