"""What a team's pages share: one subscription, one rendering, and what a page that comes back is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.contrib.auth.models import User
from django.test import Client

from requests_app import announce
from requests_app.consumers import team_feed
from requests_app.consumers.team_feed import News
from requests_app.models import FalRequest, Membership, Role, Team
from requests_app.views.row_html import RowVariant
from tests.builders import hear, make_request, make_status
from tests.consumers.conftest import Open, Socket

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = {"type": "watch", "table": True, "html": True}


@pytest.fixture(autouse=True)
def _own_layer() -> Iterator[None]:
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


async def watching(page: Open, client: Client, **wish: Any) -> tuple[Socket, Any]:
    socket: Socket = await page(client)
    await socket.send_json_to(TABLE | wish)
    return socket, await socket.message("hello")


async def test_all_pages_of_a_team_share_one_subscription(
    in_memory_layer: Any, page: Open, as_owner: Client, row: FalRequest
) -> None:
    sockets = [(await watching(page, as_owner))[0] for _ in range(5)]
    assert len(in_memory_layer.groups[announce.group_of_team(row.team_id)]) == 1
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    texts = [(await socket.message("changed"))["html"] for socket in sockets]
    assert len(set(texts)) == 1


async def test_a_changed_row_comes_as_the_table_shows_it(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_owner)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    changed = await socket.message("changed")
    [(public_id, seq)] = changed["rows"]
    fetched = await sync_to_async(as_owner.get)(f"/requests/rows/?ids={public_id}")
    assert f'id="request-{public_id}"' in changed["html"]
    assert f'data-seq="{seq}"' in changed["html"]
    assert _lasting(fetched.text) == _lasting(changed["html"])
    assert "csrfmiddlewaretoken" not in changed["html"]


def _lasting(html: str) -> str:
    """Without the token and the star, which are the page's own, and without ages."""
    without_token = re.sub(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>', "", html)
    without_token = re.sub(r"\s*data-unknown\s*>|\s+>", ">", without_token)
    return re.sub(r"<time.*?</time>", "", without_token)


async def test_a_viewer_is_not_offered_what_a_member_is(
    page: Open, as_owner: Client, owner: User, row: FalRequest
) -> None:
    await Membership.objects.filter(user=owner).aupdate(role=Role.VIEWER)
    socket, _ = await watching(page, as_owner)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    html = (await socket.message("changed"))["html"]
    assert "/star/" in html and "/cancel/" not in html and "/tags/" not in html


async def test_a_page_that_does_not_ask_for_html_gets_ids(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_owner, html=False)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    assert "html" not in await socket.message("changed")


async def test_a_large_burst_is_told_by_ids_alone(
    page: Open, as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_feed, "MOST_PUSHED", 1)
    monkeypatch.setattr(team_feed, "LEAD_S", 0.3)
    socket, _ = await watching(page, as_owner)
    for _ in range(2):
        await sync_to_async(make_request)(team=team, person=owner)
    changed = await socket.message("changed")
    assert (len(changed["rows"]), "html" in changed) == (2, False)


async def test_a_row_of_another_team_is_not_rendered(
    page: Open, as_stranger: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_stranger)
    layer: Any = get_channel_layer()
    membership = await Membership.objects.exclude(team=row.team_id).aget()
    message = {"type": "request.changed", "id": str(row.public_id), "pk": row.pk, "seq": 10**6}
    await layer.group_send(announce.group_of_team(membership.team_id), message)
    assert (await socket.message("changed"))["html"].strip() == ""


async def test_a_page_that_comes_back_is_told_what_it_missed(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    before = row.seq
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    await row.arefresh_from_db()
    _, hello = await watching(page, as_owner, since=before)
    assert [str(row.public_id), row.seq] in hello["rows"]
    assert hello["seq"] == row.seq


async def test_an_open_page_may_ask_again_what_is_newer(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket, hello = await watching(page, as_owner)
    row.seq += 5
    await sync_to_async(announce.changed)(row)
    await socket.message("changed")
    await socket.send_json_to({"type": "since", "seq": hello["seq"]})
    answer = await socket.message("since")
    assert answer["rows"][0] == [str(row.public_id), row.seq]


@pytest.mark.parametrize("since", [None, -1, "5", 1.5, True, [], 2**70])
async def test_a_page_without_a_version_has_to_ask_by_itself(
    since: Any, page: Open, as_owner: Client
) -> None:
    _, hello = await watching(page, as_owner, since=since)
    assert hello["rows"] is None


async def test_to_ask_what_is_newer_without_a_table_is_an_error(
    page: Open, as_owner: Client
) -> None:
    socket = await page(as_owner)
    await socket.send_json_to({"type": "since", "seq": 1})
    assert (await socket.message("error"))["code"] == 400


async def test_a_page_that_missed_more_than_the_feed_knows_has_to_ask(
    page: Open, as_owner: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from requests_app.consumers import newest

    monkeypatch.setattr(newest, "MOST", 2)
    monkeypatch.setattr(team_feed, "MOST", 2)
    for _ in range(3):
        await sync_to_async(make_request)(team=team, person=owner)
    _, hello = await watching(page, as_owner, since=0)
    assert hello["rows"] is None


async def test_a_channel_layer_that_fails_once_is_listened_to_again(
    in_memory_layer: Any, page: Open, as_owner: Client, row: FalRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(team_feed, "RETRY_S", 0.01)
    real, fails = in_memory_layer.receive, [ConnectionError("no route")] * 3

    async def receive(channel: str) -> Any:
        if fails:
            raise fails.pop()
        return await real(channel)

    monkeypatch.setattr(in_memory_layer, "receive", receive)
    socket, _ = await watching(page, as_owner)
    async with asyncio.timeout(20):
        while fails:
            await asyncio.sleep(0.01)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    assert await socket.message("changed")


def test_a_message_is_encoded_once_for_all_pages_that_look_alike() -> None:
    member, viewer = RowVariant(True, "", True), RowVariant(False, "", True)
    news = News([("a", 1)], {member: "<tr>"})
    assert news.text(member) is news.text(member)
    assert news.text(viewer) is news.text(None) is news.plain
