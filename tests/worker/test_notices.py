"""The worker looks, sends and keeps what came of it; a message outlives a worker that is killed in the midst."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import ChannelKind, Notice, NoticeChannel, NoticeRule, Team
from requests_app.notices import keeping
from requests_app.notices.addresses import parse
from requests_app.worker.notices import NoticeSender
from tests.fal.peer import Peer, reply
from tests.notices.test_firing import failed

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_failure_becomes_one_post_and_its_answer_stands_in_the_log(
    team: Team, owner: User, settings: Any
) -> None:
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    peer = Peer()
    await peer.start()
    peer.will(reply(500, b"not now"), reply(200, b"thanks"))
    await sync_to_async(_prepare)(team, owner, f"{peer.url}/hook")
    sender = NoticeSender()
    await sender.run()  # found; it waits for others that may come with it
    await Notice.objects.aupdate(due_at=timezone.now())
    await sender.run()
    first = await Notice.objects.aget()
    assert (first.state, first.tries, first.answer) == ("waiting", 1, "HTTP 500: not now")
    await Notice.objects.aupdate(due_at=timezone.now())
    await sender.run()
    await sender.run()
    second = await Notice.objects.aget()
    assert (second.state, second.answer) == ("sent", "HTTP 200: thanks")
    assert len(peer.requests) == 2
    await peer.stop()


def _prepare(team: Team, owner: User, address: str) -> None:
    now = timezone.now()
    channel: NoticeChannel = keeping.add_channel(
        team, kind="webhook", name="hook", address=parse(ChannelKind.WEBHOOK, address), by=owner, now=now
    )  # fmt: skip
    NoticeRule.objects.create(team=team, channel=channel, event="failed", since=now)
    failed(team, owner)
