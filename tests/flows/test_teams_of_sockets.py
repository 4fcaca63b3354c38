"""Which team a socket is for: the one its page was made for, whatever was chosen since."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from requests_app.consumers import rights
from requests_app.models import FalRequest, Membership, Role, Team
from requests_app.teams.choice import SESSION_KEY
from tests.builders import make_queued
from tests.consumers.conftest import Open
from tests.consumers.sessions import CONNECT, PATH
from tests.fal.socket_peer import SocketPeer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other(owner: User) -> Team:
    """A second team of the owner's."""
    other = Team.objects.create(name="Zebra")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    return other


@sync_to_async
def choose(client: Client, team: Team) -> None:
    session = client.session
    session[SESSION_KEY] = team.pk
    session.save()


@pytest.mark.parametrize("wish", ["{b}", "{b}.{b}", "{b}.0", "{b}.999", "{a}x", "", "999", 5, None])
async def test_a_session_for_another_team_than_the_chosen_one_is_not_begun(
    wish: Any, page: Open, as_owner: Client, team: Team, other: Team, fal: SocketPeer
) -> None:
    await choose(as_owner, team)
    socket = await page(as_owner, PATH)
    said = wish.format(a=team.pk, b=other.pk) if isinstance(wish, str) else wish
    await socket.send_json_to(CONNECT | {"made_for": said})
    answer = await socket.receive_json_from(timeout=30)
    assert answer["type"] in ("ended", "error")
    assert await FalRequest.objects.acount() == 0


async def test_the_page_is_told_what_to_say_and_then_gets_its_own_team(
    page: Open, as_owner: Client, team: Team, other: Team, fal: SocketPeer
) -> None:
    await choose(as_owner, other)
    socket = await page(as_owner, PATH)
    await choose(as_owner, team)  # in another tab, after this socket was opened
    await socket.send_json_to(CONNECT | {"made_for": str(other.pk)})
    told = await socket.message("ended")
    assert told["sentence"] == "This was made for Zebra. You are in Acme now. Nothing was sent."
    assert told["team"]["value"] == f"{other.pk}.{team.pk}"
    await socket.send_json_to(CONNECT | {"made_for": told["team"]["value"]})
    await socket.message("open")
    assert (await FalRequest.objects.select_related("team").aget()).team == other


async def test_the_right_in_the_pages_team_counts(
    page: Open, as_owner: Client, owner: User, team: Team, other: Team, fal: SocketPeer
) -> None:
    await Membership.objects.filter(team=other, user=owner).aupdate(role=Role.VIEWER)
    await choose(as_owner, other)
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT | {"made_for": str(other.pk)})
    assert await socket.close_code() == rights.NO_TEAM
    assert await FalRequest.objects.acount() == 0


async def test_a_table_goes_on_for_its_team_when_another_is_chosen(
    page: Open, as_owner: Client, owner: User, team: Team, other: Team
) -> None:
    await choose(as_owner, other)
    row = await sync_to_async(make_queued)(team=team, person=owner)
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "table": True, "made_for": str(team.pk)})
    assert (await socket.message("hello"))["seq"] == row.seq
    for said, expected in ((f"{other.pk}.{team.pk}", 0), (None, 0)):
        another = await page(as_owner)
        await another.send_json_to({"type": "watch", "table": True, "made_for": said})
        assert (await another.message("hello"))["seq"] == expected


@pytest.mark.parametrize("said", ["999999", "x", "", [], {"a": 1}, -1])
async def test_a_table_of_a_team_one_is_not_in_is_not_watched(
    said: Any, page: Open, as_owner: Client
) -> None:
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "table": True, "made_for": said})
    assert await socket.close_code() == rights.NO_TEAM


async def test_a_lost_choice_shows_no_other_table(
    page: Open, as_owner: Client, owner: User, other: Team
) -> None:
    await choose(as_owner, other)
    await Membership.objects.filter(team=other, user=owner).adelete()
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "table": True})
    assert await socket.close_code() == rights.NO_TEAM
