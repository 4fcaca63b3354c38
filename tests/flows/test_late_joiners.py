"""Whoever joins a running call gets its past first, then what comes: no gap, no repeat."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import Source, Status, Team
from requests_app.record.live_feed import feed
from requests_app.record.recorder import Recorder
from requests_app.rules.transitions import CallEnded
from requests_app.worker.loop import pool, worker_loop
from tests.builders import make_request
from tests.consumers.conftest import Open

pytestmark = pytest.mark.django_db(transaction=True)
JOINS, AT_ONCE, FRAMES = 200, 25, 120


@pytest.fixture(autouse=True)
def _own_layer() -> Iterator[None]:
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
    worker_loop.stop(1)


@pytest.mark.slow
@pytest.mark.parametrize("is_far", [False, True], ids=["here", "in another process"])
async def test_two_hundred_pages_that_join_at_random_moments_get_every_frame_once(
    is_far: bool,
    page: Open,
    as_owner: Client,
    team: Team,
    owner: User,
    monkeypatch: Any,
    settings: Any,
) -> None:
    settings.SOCKETS_PER_USER = JOINS  # all stay open
    if is_far:  # the record and the channel layer alone, as when a worker holds the call
        monkeypatch.setattr(feed, "publish", lambda pk, frame: None)
    chance = random.Random(2026)
    for _ in range(JOINS // AT_ONCE // (2 if is_far else 1)):
        row = await sync_to_async(make_request)(team=team, person=owner, mode="stream")
        recording = asyncio.wrap_future(worker_loop._submit(record(row.pk, chance.random())))
        joins = [join(page, as_owner, row, chance.random() * 0.8) for _ in range(AT_ONCE)]
        for numbers in await asyncio.gather(*joins):
            assert numbers == list(range(1, FRAMES + 1))
        await recording


async def record(pk: int, seed: float) -> None:
    """A call that sends in bursts with pauses, and ends."""
    chance = random.Random(seed)
    recorder = Recorder(pk, pool.in_database)
    for number in range(FRAMES):
        recorder.add(f"event {number}", 10)
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() * 0.03)
    await recorder.close()
    end = CallEnded(Status.COMPLETED, "", "done")
    await pool.in_database_with_retry(
        lifecycle.observe, pk, end, source=Source.STREAM, asked_at=timezone.now()
    )


async def join(page: Open, client: Client, row: Any, delay_s: float) -> list[int]:
    """The numbers in the order in which the page got them, for a moment beyond the last."""
    await asyncio.sleep(delay_s)
    socket = await page(client)
    await socket.send_json_to({"type": "watch", "request": str(row.public_id)})
    numbers: list[int] = []
    while FRAMES not in numbers:
        numbers += [frame["number"] for frame in (await socket.message("frames"))["frames"]]
    return numbers
