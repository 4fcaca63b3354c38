"""An open list on the live socket: its rows in sight are asked about at the quick pace, and only its own."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from requests_app.consumers import live
from requests_app.models import FalRequest, Team
from requests_app.record import followers as marks
from requests_app.record.followers import followers
from tests.builders import make_queued
from tests.consumers.conftest import Open, Socket

pytestmark = pytest.mark.django_db(transaction=True)

TABLE = {"type": "watch", "table": True}


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    return make_queued(team=team, person=owner)


async def watching(page: Open, client: Client, wish: dict[str, Any]) -> tuple[Socket, Any]:
    socket = await page(client)
    await socket.send_json_to(wish)
    return socket, await socket.message("hello")


async def is_marked(row: FalRequest) -> bool:
    async with asyncio.timeout(30):
        while (await FalRequest.objects.aget(pk=row.pk)).watched_until is None:
            await asyncio.sleep(0.02)
    return True


async def test_open_rows_in_sight_of_a_list_are_looked_at_more_often(
    page: Open, as_owner: Client, row: FalRequest, team: Team, owner: User
) -> None:
    unseen = await sync_to_async(make_queued)("req-2", team=team, person=owner)
    socket, _ = await watching(page, as_owner, TABLE)
    await socket.send_json_to({"type": "watch", "rows": [str(row.public_id), str(uuid.uuid4())]})
    assert await is_marked(row)
    assert (await FalRequest.objects.aget(pk=unseen.pk)).watched_until is None
    await socket.send_json_to({"type": "watch", "rows": [str(unseen.public_id)]})
    assert await is_marked(unseen)
    assert set(followers._counts) == {unseen.pk}
    await socket.disconnect(timeout=30)
    assert not followers._counts


@pytest.mark.parametrize("what", ["rows of a list", "a request's page"])
async def test_the_mark_is_renewed_as_long_as_the_socket_is_open(
    page: Open, as_owner: Client, row: FalRequest, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(marks, "RENEW_S", 0.1)
    monkeypatch.setattr(live, "RENEW_S", 0.02)
    id = str(row.public_id)
    if what == "rows of a list":
        socket, _ = await watching(page, as_owner, TABLE)
        await socket.send_json_to({"type": "watch", "rows": [id]})
    else:
        await watching(page, as_owner, {"type": "watch", "request": id})
    for _ in range(3):
        assert await is_marked(row)
        await FalRequest.objects.filter(pk=row.pk).aupdate(watched_until=None)


async def test_rows_of_another_team_are_not_there(
    page: Open, as_stranger: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_stranger, TABLE)
    await socket.send_json_to({"type": "watch", "rows": [str(row.public_id)]})
    await socket.send_json_to({"type": "watch", "rows": ["nonsense"]})
    await socket.message("error")
    assert not followers._counts


@pytest.mark.parametrize(
    "wrong", [None, "x", 5, {}, [5], [None], [["a"]], ["nonsense"], [str(uuid.UUID(int=1))] * 101]
)
async def test_rows_that_are_no_short_list_of_ids_are_an_error(
    wrong: Any, page: Open, as_owner: Client
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    await socket.send_json_to({"type": "watch", "rows": wrong})
    error = await socket.message("error")
    assert (error["code"], "at most 100 ids" in error["message"]) == (400, True)


@pytest.mark.parametrize("name", ["rows2", "requests", "Table"])
async def test_an_unknown_key_is_an_error_that_names_it(
    name: str, page: Open, as_owner: Client
) -> None:
    socket = await page(as_owner)
    await socket.send_json_to(TABLE | {name: 1})
    error = await socket.message("error")
    assert (error["code"], repr(name) in error["message"]) == (400, True)
