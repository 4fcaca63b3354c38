"""Polls per second: our sweep with its rows, beside the bare client with the same calls."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

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
LONGEST_S = 120


def main() -> None:
    """Print the table."""
    with running(Signer()) as fal:
        rows = [
            ("sweep: claim, ask, decide, store", *rate(by_sweep(fal))),
            (f"httpx-aiohttp, {CALLS_AT_ONCE} at once", *rate(asyncio.run(bare(fal, quick=True)))),
            (f"httpx alone, {CALLS_AT_ONCE} at once", *rate(asyncio.run(bare(fal, quick=False)))),
        ]
    table(f"Polling {ROWS} requests", ("how", "took", "polls/s"), rows)


def rate(seconds: float) -> tuple[str, str]:
    """Total and rate."""
    return f"{seconds:.2f} s", f"{ROWS / seconds:.0f}"


def by_sweep(fal: str) -> float:
    """Seconds until every due row was looked at once."""
    settings.FAL_QUEUE_URL, settings.FAL_KEY = f"{fal}/queue", "id:secret"
    settings.PUBLIC_URL = ""
    user, team = make_owner()
    long_ago = timezone.now() - timedelta(hours=1)  # asked again in a minute at the earliest
    fill(
        ROWS, user=user, team=team, endpoint_id="acme/img", status="in_queue", ended_at=None,
        sent_at=long_ago, accepted_at=long_ago, due_at=timezone.now(), queue_position=9,
    )  # fmt: skip
    began = time.perf_counter()
    try:
        return until_all_were_asked(team.pk, began)
    finally:
        worker_loop.stop()


def until_all_were_asked(team_id: int, began: float) -> float:
    """Sweep once, then wait: the stub's position is news, so every answer is stored."""
    mine = FalRequest.objects.filter(team_id=team_id)
    worker_loop.run(sweep())
    while mine.exclude(queue_position=3).exists():
        if time.perf_counter() - began > LONGEST_S:
            raise TimeoutError(
                f"{mine.exclude(queue_position=3).count()} rows were not asked about"
            )
        time.sleep(0.02)
    return time.perf_counter() - began


async def bare(fal: str, *, quick: bool) -> float:
    """Seconds for as many status calls, whose answers nobody looks at."""
    places = asyncio.Semaphore(CALLS_AT_ONCE)
    url = f"{fal}/queue/acme/img/requests/x/status"
    async with httpx.AsyncClient(transport=AiohttpTransport() if quick else None) as http:

        async def ask() -> None:
            async with places:
                (await http.get(url)).raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(ask() for _ in range(ROWS)))
        return time.perf_counter() - began
