"""What the channel layer loses, the database tells: an open table is never far behind."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from requests_app.consumers import team_feed
from requests_app.models import FalRequest
from tests.builders import hear, make_status
from tests.consumers.conftest import Open, Socket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_look")]


async def watching(page: Open, client: Client) -> Socket:
    socket: Socket = await page(client)
    await socket.send_json_to({"type": "watch", "table": True})
    await socket.message("hello")
    return socket


@pytest.fixture
def quick_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_feed, "LOOK_S", 0.2)


def move_in_silence(row: FalRequest) -> int:
    """As when the broker is away: the row moves and no message comes."""
    seq = row.seq + 100
    FalRequest.objects.filter(pk=row.pk).update(seq=seq)
    return seq


async def test_a_change_whose_message_was_lost_is_told_all_the_same(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket = await watching(page, as_owner)
    seq = await sync_to_async(move_in_silence)(row)
    assert (await socket.message("changed"))["rows"] == [[str(row.public_id), seq]]


@pytest.mark.slow
async def test_what_a_message_told_is_not_told_again(
    page: Open, as_owner: Client, row: FalRequest
) -> None:
    socket = await watching(page, as_owner)
    await sync_to_async(hear)(row, make_status("IN_PROGRESS"))
    await socket.message("changed")
    assert await socket.receive_nothing(timeout=1)
