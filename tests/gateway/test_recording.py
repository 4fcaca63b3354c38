"""What passed while the database is away is stored when it is back, once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import DataError, OperationalError

from requests_app.gateway import recording
from requests_app.gateway.entries import CallEntry, EntryKind
from requests_app.gateway.recording import Recording, store
from requests_app.gateway.spool import Spool, SpoolFull
from requests_app.models import FalRequest, Mode, Status, Team


def in_thread(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return the call in a thread, which gives its connection back to the pool: it ends with the test's loop."""
    return database_sync_to_async(call, thread_sensitive=False)


class Database:
    """The way to the database; `is_away` makes every call fail as Django does."""

    def __init__(self) -> None:
        self.is_away = False

    async def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        if self.is_away:
            raise OperationalError("away")
        return await in_thread(call)(*args)


def entry(team: Team, owner: User, number: int = 0) -> CallEntry:
    """A run that was answered."""
    return CallEntry(
        kind=EntryKind.DIRECT, team_id=team.pk, person_id=owner.pk, endpoint_id="acme/img",
        mode=Mode.RUN, sent_at=time.time(), at=time.time(), input=b'{"n": %d}' % number,
        input_size=8, status_code=200, headers={"content-type": "application/json"}, body=b"{}",
    )  # fmt: skip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for seconds."""
    monkeypatch.setattr(recording, "RETRY_EVERY_S", 0.05)


async def until(wanted: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await in_thread(wanted)():
            await asyncio.sleep(0.01)


def on_disk(folder: Path) -> int:
    return sum(len(entries or ()) for _, entries in Spool(folder).files())


@pytest.mark.slow
async def test_many_calls_at_once_are_on_the_disk_in_few_files_and_come_once(
    transactional_db: None, quick: None, tmp_path: Path, team: Team, owner: User
) -> None:
    database, folder, stored = Database(), tmp_path / "gateway", 0

    async def failing(call: Callable[..., Any], one: CallEntry) -> Any:
        nonlocal stored
        stored += 1
        if stored == 30:  # in the middle of a file, which is read again
            database.is_away = True
        return await database(call, one)

    database.is_away = True
    record = Recording(failing, Spool(folder))
    for number in range(60):
        record.offer(entry(team, owner, number))
    await until(lambda: on_disk(folder) == 60)
    assert len(list(folder.glob("*.call"))) <= 5
    database.is_away = False
    await until(lambda: stored >= 30)
    database.is_away = False
    await until(lambda: not list(folder.glob("*.call")))
    inputs = await sync_to_async(lambda: [row.input_text for row in FalRequest.objects.all()])()
    assert sorted(inputs) == sorted(f'{{"n": {number}}}' for number in range(60))
    assert stored > 60
    record.stop()


async def test_calls_wait_on_the_disk_and_come_into_the_database_once(
    transactional_db: None, quick: None, tmp_path: Path, team: Team, owner: User
) -> None:
    database, folder = Database(), tmp_path / "gateway"
    database.is_away = True
    record = Recording(database, Spool(folder))
    for number in range(5):
        record.offer(entry(team, owner, number))
    await until(lambda: on_disk(folder) == 5)
    database.is_away = False
    await until(lambda: not list(folder.glob("*.call")))
    rows = await sync_to_async(lambda: list(FalRequest.objects.order_by("id")))()
    assert [row.input_text for row in rows] == [f'{{"n": {number}}}' for number in range(5)]
    assert {row.status for row in rows} == {Status.COMPLETED}
    record.stop()


async def test_an_entry_that_the_database_refuses_holds_up_no_other(
    transactional_db: None, quick: None, tmp_path: Path, team: Team, owner: User
) -> None:
    refused: list[str] = []

    async def database(call: Callable[..., Any], one: CallEntry) -> Any:
        if one.input == b'{"n": 0}':
            refused.append(one.public_id)
            raise DataError("value too long")
        return await in_thread(call)(one)

    record = Recording(database, Spool(tmp_path / "gateway"))
    for number in range(3):
        record.offer(entry(team, owner, number))
    await until(lambda: FalRequest.objects.count() == 2)
    assert len(refused) == 1
    assert not (tmp_path / "gateway").exists()
    record.stop()


async def test_another_process_stores_what_an_ended_one_left_behind(
    transactional_db: None, tmp_path: Path, team: Team, owner: User
) -> None:
    folder, database = tmp_path / "gateway", Database()
    left = Recording(database, Spool(folder))
    left.put_down(entry(team, owner))
    (folder / "0-half.call").write_bytes(b"\x81")
    record = Recording(database, Spool(folder))
    record.start()
    await until(lambda: FalRequest.objects.exists() and not list(folder.glob("*.call")))
    assert [file.suffix for file in folder.iterdir()] == [".unreadable"]
    record.stop()


def test_an_entry_that_is_stored_twice_is_one_row(team: Team, owner: User) -> None:
    one = entry(team, owner)
    store(one)
    store(one)
    row = FalRequest.objects.get()
    assert str(row.public_id) == one.public_id
    assert list(row.observations.values_list("kind", flat=True)) == ["created", "ended"]


def test_the_spool_takes_no_more_than_it_may(tmp_path: Path, team: Team, owner: User) -> None:
    spool = Spool(tmp_path, files=1)
    spool.put([entry(team, owner)])
    with pytest.raises(SpoolFull):
        spool.put([entry(team, owner)])
    spool = Spool(tmp_path / "other", bytes_=100)
    with pytest.raises(SpoolFull):
        spool.put([entry(team, owner)])


async def test_more_than_the_memory_takes_is_counted_as_missed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING_BYTES", 100)
    record = Recording(Database(), Spool(tmp_path))
    record.offer(
        CallEntry(
            kind=EntryKind.DIRECT, team_id=1, person_id=1, endpoint_id="acme/img", mode=Mode.RUN,
            sent_at=0, public_id=str(uuid4()),
        )
    )  # fmt: skip
    assert "not recorded: memory" in caplog.text
    record.stop()
