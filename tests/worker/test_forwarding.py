"""The worker finds, sends and keeps; a slow receiver delays no other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone
from standardwebhooks import Webhook

from requests_app.forwarding.sealed import unseal
from requests_app.models import FalRequest, ForwardDestination, ForwardMessage, Team
from requests_app.worker.forwarding import Forwarder
from tests.fal.peer import Peer, hang, reply
from tests.forwarding.scene import make_destination, make_message
from tests.notices.test_firing import failed

pytestmark = pytest.mark.django_db(transaction=True)
LONG_S = 30


async def until(forwarder: Forwarder, *, sent: int) -> None:
    """Look as the clock would, until so many messages were accepted."""
    async with asyncio.timeout(LONG_S):
        while await ForwardMessage.objects.filter(state="sent").acount() < sent:
            await forwarder.run()
            await asyncio.sleep(0.02)


async def test_an_end_becomes_one_signed_post_which_is_repeated_until_it_is_accepted(
    team: Team, owner: User, settings: Any
) -> None:
    settings.FORWARD_HOSTS = ["127.0.0.1"]
    peer = Peer()
    await peer.start()
    peer.will(reply(500, b"not now"), reply(200, b"thanks"))
    one: ForwardDestination = await sync_to_async(make_destination)(team, url=f"{peer.url}/hook")
    row: FalRequest = await sync_to_async(failed)(team, owner)
    forwarder = Forwarder()
    async with asyncio.timeout(LONG_S):
        while not await ForwardMessage.objects.filter(attempts__code=500).aexists():
            await forwarder.run()
            await asyncio.sleep(0.02)
    await ForwardMessage.objects.aupdate(due_at=timezone.now())
    await until(forwarder, sent=1)
    first, second = peer.requests
    assert first.body == second.body and str(row.public_id) in second.body.decode()
    assert first.header("webhook-id") == second.header("webhook-id")
    Webhook(unseal(one).secrets[0]).verify(second.body, dict(second.headers))
    message = await ForwardMessage.objects.aget()
    kept = [(a.code, a.answer) async for a in message.attempts.all()]
    assert kept == [(200, "thanks"), (500, "not now")]
    await peer.stop()


async def test_a_receiver_that_hangs_does_not_keep_others_waiting(
    team: Team, settings: Any
) -> None:
    settings.FORWARD_HOSTS = ["127.0.0.1"]
    slow, quick = Peer(), Peer()
    for peer in (slow, quick):
        await peer.start()
    slow.will(*[hang] * 20)
    quick.will(*[reply(200)] * 20)
    await sync_to_async(_ten_each)(team, slow.url, quick.url)
    await until(forwarder := Forwarder(), sent=10)
    assert len(quick.requests) == 10
    assert 1 <= len(slow.requests) <= 4
    assert forwarder
    for peer in (slow, quick):
        await peer.stop()


def _ten_each(team: Team, *urls: str) -> None:
    for number, url in enumerate(urls):
        one = make_destination(team, name=str(number), url=url)
        for _ in range(10):
            make_message(one)
