"""Writers of one process take turns, and nobody keeps a turn for ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.db import OperationalError, connection, connections, transaction

from dashboard.sqlite3.base import turn
from requests_app.models import Team

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite is locked"),
]
THREADS, TIMES = 4, 25


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield pool
    assert not turn.locked()


def make(name: str, *, times: int = 1) -> None:
    """In transactions that do not wait for SQLite's own lock at all."""
    with closing(connection):
        connection.cursor().execute("PRAGMA busy_timeout = 0")
        for number in range(times):
            with transaction.atomic():
                Team.objects.create(name=f"{name} {number}" if number else name)


def names() -> list[str]:
    return list(Team.objects.order_by("id").values_list("name", flat=True))


def test_no_writer_of_the_process_finds_the_file_locked(threads: ThreadPoolExecutor) -> None:
    made = [threads.submit(make, f"of {number}", times=TIMES) for number in range(THREADS)]
    for done in made:
        done.result(30)
    assert len(names()) == THREADS * TIMES


def test_who_waits_goes_on_when_the_other_has_committed(threads: ThreadPoolExecutor) -> None:
    with transaction.atomic():
        waits = threads.submit(make, "second")
        Team.objects.create(name="first")
        assert not waits.done()
    waits.result(10)
    assert names() == ["first", "second"]


def test_a_turn_ends_with_a_rollback_too(threads: ThreadPoolExecutor) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        waits = threads.submit(make, "next")
        Team.objects.create(name="never")
        raise ZeroDivisionError
    waits.result(10)
    assert names() == ["next"]


def test_a_turn_ends_with_its_connection_too(threads: ThreadPoolExecutor) -> None:
    def leave() -> None:
        transaction.set_autocommit(False)
        Team.objects.create(name="never")
        connection.close()

    threads.submit(leave).result(10)
    threads.submit(make, "next").result(10)
    assert names() == ["next"]


def test_a_transaction_that_cannot_begin_gives_its_turn_back(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()  # which reads the mode
    monkeypatch.setattr(connections["default"], "transaction_mode", "NONSENSE")
    with pytest.raises(OperationalError), transaction.atomic():
        pass
    threads.submit(make, "next").result(10)


def test_who_waits_too_long_is_told_what_sqlite_would_say(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    with transaction.atomic(), pytest.raises(OperationalError, match="database is locked"):
        threads.submit(make, "late").result(10)
    threads.submit(make, "next").result(10)
    assert names() == ["next"]


def test_a_statement_is_written_for_sqlite_once_and_means_the_same() -> None:
    with connection.cursor() as cursor:
        for value in ("one", "two"):
            cursor.execute("SELECT %s, 5 %% 3, '%%s'", [value])
            assert cursor.fetchall() == [(value, 2, "%s")]
        cursor.execute("SELECT %(name)s", {"name": "three"})
        assert cursor.fetchall() == [("three",)]
