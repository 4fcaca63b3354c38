"""A member who may not see inputs and outputs is pushed rows without them, and no frames; open sockets notice it."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from requests_app.consumers import rights
from requests_app.models import FalRequest, Membership, Team
from tests.builders import hear, make_person, make_queued, make_status
from tests.consumers.conftest import Open

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "a sunset over mountains"  # of the row's input


@pytest.fixture
def members(team: Team) -> dict[str, Client]:
    """Two members by name; the one does not see."""
    found = {}
    for name in ("tom", "mira"):
        found[name] = Client()
        found[name].force_login(make_person(name, team=team))
    Membership.objects.filter(user__username="mira").update(sees_payloads=False)
    return found


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    """A request in fal's queue."""
    return make_queued(team=team, person=owner)


async def test_each_page_is_pushed_the_row_as_its_reader_may_see_it(
    page: Open, members: dict[str, Client], row: FalRequest
) -> None:
    sockets = {name: await page(client) for name, client in members.items()}
    for socket in sockets.values():
        await socket.send_json_to({"type": "watch", "table": True, "html": True})
        await socket.message("hello")
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    for name, socket in sockets.items():
        html = ""
        while str(row.public_id) not in html:
            html = (await socket.message("changed")).get("html", "")
        assert (WORDS in html) is (name == "tom")
        assert (">hidden<" in html) is (name == "mira")


async def test_frames_are_relayed_to_those_who_see_alone(
    page: Open, members: dict[str, Client], row: FalRequest
) -> None:
    wish = {"type": "watch", "request": str(row.public_id), "after": 0}
    for name, answer in (("tom", "hello"), ("mira", "error")):
        socket = await page(members[name])
        await socket.send_json_to(wish)
        assert (await socket.message(answer))["type"] == answer


async def test_a_socket_that_relays_frames_ends_with_the_right(
    page: Open, members: dict[str, Client], row: FalRequest, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.1)
    socket = await page(members["tom"])
    await socket.send_json_to({"type": "watch", "request": str(row.public_id), "after": 0})
    await socket.message("hello")
    tom = Membership.objects.filter(user__username="tom")
    await sync_to_async(tom.update)(sees_payloads=False)
    assert await socket.close_code() == rights.NO_TEAM


async def test_a_realtime_session_needs_the_right(page: Open, members: dict[str, Client]) -> None:
    socket = await page(members["mira"], "/ws/realtime/")
    assert await socket.close_code() == rights.NO_TEAM
