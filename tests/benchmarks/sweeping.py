"""Polls per second: our sweep at several sizes of history, beside fal's own client and the bare HTTP client.

Each way makes the same calls. Ours decides and stores as well; the others throw the answers away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import fal_client
import fal_client.client
import httpx
from django.conf import settings
from django.utils import timezone
from httpx_aiohttp import AiohttpTransport

from requests_app.models import FalRequest
from requests_app.worker.fal_connections import CALLS_AT_ONCE
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.benchmarks.stub import running
from tests.signing import Signer

ROWS = 1000
HISTORIES = (0, 100_000)
LONGEST_S = 120
ANSWER = 3  # the place in the queue that the stub tells


def main() -> None:
    """Print the table."""
    with running(Signer()) as fal:
        table(f"Polling {ROWS} requests", ("how", "took", "polls/s"), list(rows(fal)))


def rows(fal: str) -> Iterator[tuple[str, str, str]]:
    """All of them in one run."""
    settings.FAL_QUEUE_URL, settings.FAL_KEY = f"{fal}/queue", "id:secret"
    settings.PUBLIC_URL = ""
    user, team = make_owner()
    kept = 0
    for history in HISTORIES:
        fill(history - kept, user=user, team=team)
        kept = history
        for news, place in (("news in each", 9), ("no news", ANSWER)):
            yield f"sweep, {history:,} rows kept, {news}", *rate(by_sweep(place))
    yield f"fal_client in {CALLS_AT_ONCE} threads", *rate(by_fal_client(fal))
    for name, transport in (("httpx-aiohttp", AiohttpTransport()), ("httpx alone", None)):
        yield f"{name}, {CALLS_AT_ONCE} at once", *rate(asyncio.run(bare(fal, transport)))


def rate(seconds: float) -> tuple[str, str]:
    """Total and rate."""
    return f"{seconds:.2f} s", f"{ROWS / seconds:.0f}"


def by_sweep(place: int) -> float:
    """Seconds until every due row was polled once; `place` is what the rows know before."""
    user, team = make_owner()
    long_ago = timezone.now() - timedelta(hours=1)  # polled again in half a minute at the earliest
    fill(
        ROWS, user=user, team=team, endpoint_id="acme/img", status="in_queue", ended_at=None,
        sent_at=long_ago, accepted_at=long_ago, due_at=timezone.now(), queue_position=place,
    )  # fmt: skip
    began = time.perf_counter()
    try:
        return until_all_were_polled(team.pk, began)
    finally:
        worker_loop.stop()
        FalRequest.objects.filter(team=team).update(due_at=None)


def until_all_were_polled(team_id: int, began: float) -> float:
    """Sweep once, then wait until each row has its next time and no lease."""
    mine = FalRequest.objects.filter(team_id=team_id)
    worker_loop.run(sweep())
    soon = timezone.now() + timedelta(seconds=1)
    while (left := mine.exclude(lease=None, due_at__gt=soon).count()) > 0:
        if time.perf_counter() - began > LONGEST_S:
            raise TimeoutError(f"{left} rows were not polled")
        time.sleep(0.02)
    took = time.perf_counter() - began
    if wrong := mine.exclude(queue_position=ANSWER, tries=0).count():
        raise ValueError(f"{wrong} rows do not have the answer")
    return took


def by_fal_client(fal: str) -> float:
    """Seconds for as many status calls of fal's own client, in threads."""
    fal_client.client.QUEUE_URL_FORMAT = f"{fal}/queue/"
    client = fal_client.SyncClient(key="id:secret")

    def ask(_: int) -> None:
        client.status("acme/img", "x", with_logs=True)

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        began = time.perf_counter()
        list(pool.map(ask, range(ROWS)))
        return time.perf_counter() - began


async def bare(fal: str, transport: httpx.AsyncBaseTransport | None) -> float:
    """Seconds for as many status calls of an HTTP client."""
    places = asyncio.Semaphore(CALLS_AT_ONCE)
    url = f"{fal}/queue/acme/img/requests/x/status"
    async with httpx.AsyncClient(transport=transport) as http:

        async def ask() -> None:
            async with places:
                (await http.get(url)).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(ROWS)))
        return time.perf_counter() - began
