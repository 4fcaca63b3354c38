"""The page's socket: who may hear what, that nothing is missed, and that odd input ends nothing."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import announce, lifecycle
from requests_app.consumers import live, rights, team_feed
from requests_app.consumers.team_feed import News
from requests_app.models import FalRequest, Membership, Role, Source, Status, Team
from requests_app.record import storage
from requests_app.record.frame import LARGE, NewFrame
from requests_app.rules.transitions import CallEnded
from requests_app.teams.choice import SESSION_KEY
from tests.builders import hear, make_request, make_status
from tests.consumers.conftest import Open, Socket

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = {"type": "watch", "table": True}


@pytest.fixture(autouse=True)
def _own_layer() -> Iterator[None]:
    """A channel layer of this test's own, so that what is left in it can be counted."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture
def quick_recheck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.1)


def watch(row: FalRequest, after: Any = 0) -> dict[str, Any]:
    return {"type": "watch", "request": str(row.public_id), "after": after}


def add_frames(row: FalRequest, *numbers: int, size: int = 5) -> None:
    storage.append(row.pk, [NewFrame(n, float(n), "x" * size, size) for n in numbers])


def end(row: FalRequest) -> None:
    news = CallEnded(Status.COMPLETED, "", "done")
    lifecycle.observe(row.pk, news, source=Source.STREAM, asked_at=timezone.now())


async def watching(page: Open, client: Client, wish: dict[str, Any]) -> tuple[Socket, Any]:
    socket = await page(client)
    await socket.send_json_to(wish)
    return socket, await socket.message("hello")


# --- the table


async def test_a_watched_table_begins_with_the_teams_newest_version(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    _, hello = await watching(page, as_owner, TABLE)
    assert hello["seq"] == row.seq


async def test_the_table_of_a_new_team_begins_with_nothing(page: Open, as_stranger: Client) -> None:
    _, hello = await watching(page, as_stranger, TABLE)
    assert hello["seq"] == 0


async def test_a_change_is_told_with_id_and_version(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    changed = await socket.message("changed")
    seq = (await FalRequest.objects.aget(pk=row.pk)).seq
    assert changed["rows"] == [[str(row.public_id), seq]]


async def test_a_burst_of_changes_becomes_one_message_with_the_newest_version(
    page: Open, as_owner: Client, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_feed, "LEAD_S", 0.5)  # long enough for three on a crowded machine
    socket, _ = await watching(page, as_owner, TABLE)
    for seq in (7, 9, 8):
        row.seq = seq
        await sync_to_async(announce.changed)(row)
    changed = await socket.message("changed")
    assert changed["rows"] == [[str(row.public_id), 9]]
    assert await socket.receive_nothing(timeout=0.3)


async def test_what_comes_while_a_slow_reader_takes_the_last_one_is_told_together() -> None:
    consumer, sent, has_read = live.LiveConsumer(), [], asyncio.Event()

    async def slow_reader(message: Any) -> None:
        sent.append(json.loads(message["text"])["rows"])
        await has_read.wait()

    consumer.base_send = slow_reader
    for news in ([("first", 1)], [("second", 2)], [("second", 3), ("third", 4)]):
        consumer.tell(News(news, {}))
        await asyncio.sleep(0)
    has_read.set()
    assert consumer.teller
    await consumer.teller
    assert sent == [[["first", 1]], [["second", 3], ["third", 4]]]


async def test_nothing_of_another_team_is_heard(
    page: Open, as_stranger: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_stranger, TABLE)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    assert await socket.receive_nothing(timeout=0.4)


async def test_a_thousand_changes_at_once_all_arrive(
    in_memory_layer: Any, page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)

    def many() -> None:
        layer: Any = get_channel_layer()
        group = announce.group_of_team(row.team_id)
        for seq in range(1000):
            message = {"type": "request.changed", "id": f"row-{seq}", "pk": seq, "seq": seq}
            asyncio.run(layer.group_send(group, message))

    burst = threading.Thread(target=many)
    burst.start()
    burst.join()  # on purpose: the socket's loop is held up, so that the burst waits in the channel
    told: set[str] = set()
    while len(told) < 1000:
        told |= {public_id for public_id, _ in (await socket.message("changed"))["rows"]}


# --- one request


async def test_the_past_comes_first_and_then_what_is_added(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    await sync_to_async(add_frames)(row, 1, 2, 3)
    socket, _ = await watching(page, as_owner, watch(row, after=1))
    past = await socket.message("frames")
    assert [frame["number"] for frame in past["frames"]] == [2, 3]
    await sync_to_async(add_frames)(row, 4)
    new = await socket.message("frames")
    assert ([frame["number"] for frame in new["frames"]], new["last"]) == ([4], 4)
    assert new["request"] == str(row.public_id)


async def test_pages_that_join_at_any_moment_get_every_frame_once(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    total, chance = 300, random.Random(7)

    def written() -> None:
        number = 1
        while number <= total:
            last = min(total, number + chance.randrange(1, 12))
            add_frames(row, *range(number, last + 1))
            number = last + 1
        end(row)

    async def read(delay_s: float) -> list[int]:
        await asyncio.sleep(delay_s)
        socket, _ = await watching(page, as_owner, watch(row))
        numbers: list[int] = []
        while len(numbers) < total:
            message = await socket.message("frames")
            numbers += [frame["number"] for frame in message["frames"]]
        return numbers

    writer = asyncio.create_task(sync_to_async(written, thread_sensitive=False)())
    for numbers in await asyncio.gather(*(read(chance.random() * 0.5) for _ in range(5))):
        assert numbers == list(range(1, total + 1))
    await writer


async def test_a_large_frame_is_named_without_its_text(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    await sync_to_async(add_frames)(row, 1, size=LARGE)
    await sync_to_async(add_frames)(row, 2, size=LARGE + 1)
    socket, _ = await watching(page, as_owner, watch(row))
    [small] = (await socket.message("frames"))["frames"]
    [large] = (await socket.message("frames"))["frames"]
    assert len(small["data"]) == LARGE
    assert (large["data"], large["size"]) == (None, LARGE + 1)


async def test_a_watched_request_is_looked_at_more_often(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    await watching(page, as_owner, watch(row))
    async with asyncio.timeout(30):
        while (await FalRequest.objects.aget(pk=row.pk)).watched_until is None:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "wrong", ["no-uuid", str(uuid.UUID(int=4)), 5, ["a"], {"a": 1}, "\0", "x" * 9999]
)
async def test_a_request_that_does_not_exist_is_an_error_and_not_the_end(
    wrong: Any, page: Open, as_owner: Client
) -> None:
    socket = await page(as_owner)
    await socket.send_json_to({"type": "watch", "request": wrong})
    assert (await socket.message("error"))["code"] == 404
    await socket.send_json_to(TABLE)
    assert await socket.message("hello")


async def test_a_foreign_request_is_the_very_same_error(
    page: Open, as_stranger: Client, row: FalRequest
) -> None:
    socket = await page(as_stranger)
    await socket.send_json_to(watch(row))
    foreign = await socket.message("error")
    await socket.send_json_to({"type": "watch", "request": str(uuid.uuid4())})
    assert await socket.message("error") == foreign


@pytest.mark.parametrize("after", ["5", None, -1, 10**30, 1.5, [], True])
async def test_an_odd_place_to_go_on_from_does_not_end_the_socket(
    after: Any, page: Open, as_owner: Client, row: FalRequest
) -> None:
    await sync_to_async(add_frames)(row, 1, 2)
    socket, _ = await watching(page, as_owner, watch(row, after=after))
    assert (await socket.message("frames"))["last"] == 2


async def test_one_socket_follows_a_limited_number_and_says_so(
    page: Open, as_owner: Client, team: Team, owner: User
) -> None:
    socket = await page(as_owner)
    for _ in range(live.MOST_WATCHED):
        row = await sync_to_async(make_request)(team=team, person=owner)
        await socket.send_json_to(watch(row))
        await socket.message("hello")
    one_more = await sync_to_async(make_request)(team=team, person=owner)
    await socket.send_json_to(watch(one_more))
    assert (await socket.message("error"))["code"] == 400


async def test_a_request_that_is_no_longer_shown_makes_room_for_another(
    page: Open, as_owner: Client, team: Team, owner: User
) -> None:
    socket = await page(as_owner)
    for _ in range(live.MOST_WATCHED + 2):
        row = await sync_to_async(make_request)(team=team, person=owner)
        await socket.send_json_to(watch(row))
        assert await socket.message("hello")
        await socket.send_json_to({"type": "unwatch", "request": str(row.public_id)})


@pytest.mark.parametrize("wrong", ["no-uuid", str(uuid.UUID(int=4)), 5, None, ["a"], "\0"])
async def test_to_stop_watching_what_is_not_watched_is_no_error(
    wrong: Any, page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket = await page(as_owner)
    await socket.send_json_to({"type": "unwatch", "request": wrong})
    await socket.send_json_to({"type": "unwatch", "request": str(row.public_id)})
    await socket.send_json_to(watch(row))
    assert await socket.message("hello")


# --- what a browser should not send


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "null", "5", '"watch"', "[]", "{}", "NaN"])
async def test_garbage_is_an_error_and_not_the_end(text: str, page: Open, as_owner: Client) -> None:
    socket = await page(as_owner)
    await socket.send_input({"type": "websocket.receive", "text": text})
    assert (await socket.message("error"))["code"] == 400
    await socket.send_json_to(TABLE)
    assert await socket.message("hello")


async def test_bytes_are_an_error_and_not_the_end(page: Open, as_owner: Client) -> None:
    socket = await page(as_owner)
    await socket.send_to(bytes_data=b"\xff\x00")
    assert (await socket.message("error"))["code"] == 400


# --- rights, while the socket is open


async def test_nobody_listens_without_having_logged_in(page: Open, transactional_db: None) -> None:
    assert await (await page(Client())).close_code() == rights.LOGGED_OUT


async def test_somebody_without_a_team_is_told_so(page: Open, owner: User, team: Team) -> None:
    client = Client()
    await sync_to_async(client.force_login)(owner)
    await Membership.objects.filter(user=owner).adelete()
    socket = await page(client)
    await socket.send_json_to(TABLE)
    assert await socket.close_code() == rights.NO_TEAM


def test_rights_are_looked_at_again_every_few_seconds() -> None:
    assert rights.RECHECK_S <= 5


@pytest.mark.parametrize("what", ["table", "request"])
async def test_a_removed_member_hears_no_more(
    what: str, page: Open, as_owner: Client, owner: User, row: FalRequest, quick_recheck: None
) -> None:
    socket, _ = await watching(page, as_owner, TABLE if what == "table" else watch(row))
    await Membership.objects.filter(user=owner).adelete()
    assert await socket.close_code() == rights.NO_TEAM


async def test_a_log_out_ends_the_socket(page: Open, as_owner: Client, quick_recheck: None) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    await sync_to_async(as_owner.logout)()
    assert await socket.close_code() == rights.LOGGED_OUT


async def test_a_changed_password_ends_the_socket(
    page: Open, as_owner: Client, owner: User, quick_recheck: None
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    owner.set_password("another long pass phrase")
    await owner.asave()
    assert await socket.close_code() == rights.LOGGED_OUT


async def test_a_blocked_person_is_sent_away(
    page: Open, as_owner: Client, owner: User, quick_recheck: None
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    await User.objects.filter(pk=owner.pk).aupdate(is_active=False)
    assert await socket.close_code() == rights.LOGGED_OUT


async def test_the_table_is_that_of_the_team_chosen_in_the_session(
    page: Open, as_owner: Client, owner: User, row: FalRequest
) -> None:
    second = await Team.objects.acreate(name="Zebra")
    await Membership.objects.acreate(team=second, user=owner, role=Role.VIEWER)

    def choose() -> None:
        session = as_owner.session
        session[SESSION_KEY] = second.pk
        session.save()

    await sync_to_async(choose)()
    socket, hello = await watching(page, as_owner, TABLE)
    assert hello["seq"] == 0
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    assert await socket.receive_nothing(timeout=0.4)


async def test_a_socket_that_comes_to_another_team_leaves_the_first(
    page: Open, as_owner: Client, owner: User, team: Team, row: FalRequest
) -> None:
    socket, _ = await watching(page, as_owner, TABLE)
    second = await Team.objects.acreate(name="Zebra")
    await Membership.objects.acreate(team=second, user=owner)
    await Membership.objects.filter(user=owner, team=team).adelete()
    await socket.send_json_to(TABLE)
    assert (await socket.message("hello"))["seq"] == 0
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    assert await socket.receive_nothing(timeout=0.4)


# --- the end


async def test_a_closed_page_leaves_nothing_in_the_layer(
    in_memory_layer: Any, page: Open, as_owner: Client, row: FalRequest
) -> None:
    layer = in_memory_layer
    socket, _ = await watching(page, as_owner, TABLE)
    await socket.send_json_to(watch(row))
    await socket.message("hello")
    async with asyncio.timeout(30):
        while announce.group_of_request(row.pk) not in layer.groups:
            await asyncio.sleep(0.01)
    await socket.disconnect(timeout=30)
    assert (layer.groups, layer._loops) == ({}, {})
