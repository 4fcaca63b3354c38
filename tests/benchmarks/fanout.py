"""From a change to every open page: our feed beside plain Channels consumers, in one run.

Goals for 200 sockets and 50 changes a second: 99 % within 100 ms, and at least three times quicker than
a plain consumer. FANOUT_SOCKETS, FANOUT_RATE and FANOUT_SECONDS change the load.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.open_rows import SECRET, put_in
from tests.benchmarks.page import PageSocket, open_page
from tests.benchmarks.report import table
from tests.benchmarks.stub import running
from tests.process.serving import ROOT, Serving, free_port
from tests.signing import Signer, body_of

SOCKETS = int(os.environ.get("FANOUT_SOCKETS", "200"))
RATE = float(os.environ.get("FANOUT_RATE", "50"))
SECONDS = float(os.environ.get("FANOUT_SECONDS", "10"))
USERS = 50
COUNT = int(RATE * SECONDS)
WARM_UP = 10  # changes that are not counted
WAIT_S = 20  # for what is late
Rows = list[tuple[str, str]]


def main() -> None:
    """Print the table."""
    signer = Signer()
    with tempfile.TemporaryDirectory() as folder, running(signer) as fal:
        serving = with_webhooks(Path(folder), fal)
        with serving:
            found = put_in(serving, COUNT + WARM_UP, USERS)
            ours = asyncio.run(measured(serving.port, found, webhook_posts(signer, found["rows"])))
        plain = {}
        for name, reads in (("plain consumer", 0), ("plain consumer that reads the row", 1)):
            found = put_in(serving, COUNT + WARM_UP)
            with plain_server(serving, reads) as port:
                posts = [(f"/done?id={id}", {}, b"") for id, _ in found["rows"]]
                plain[name] = asyncio.run(measured(port, {**found, "cookies": ["a=b"]}, posts))
    base = quantile(ours, 0.99)
    rows = [line(name, late, base) for name, late in {"Faldeck": ours, **plain}.items()]
    title = f"From a change to {SOCKETS} sockets, {RATE:g} changes a second for {SECONDS:g} s"
    table(title, ("", "median", "99 %", "worst", "arrived", "99 % to ours"), rows)


def with_webhooks(folder: Path, fal: str) -> Serving:
    """A service whose fal is the stub."""
    serving = Serving(
        folder, FAL_KEY="id:secret", FAL_QUEUE_URL=f"{fal}/queue", FAL_RUN_URL=fal,
        FAL_REST_URL=fal, FAL_API_URL=fal, FAL_JWKS_URL=f"{fal}/jwks.json",
    )  # fmt: skip
    serving.environment["PUBLIC_URL"] = serving.url
    return serving


Post = tuple[str, dict[str, str], bytes]


def webhook_posts(signer: Signer, rows: Rows) -> list[Post]:
    """Path, headers and body of each row's end."""
    posts = []
    for public_id, request_id in rows:
        body = body_of(request_id)
        path = f"/hooks/fal/{public_id}/{SECRET}/"
        posts.append((path, signer.headers(request_id, body), body))
    return posts


@contextmanager
def plain_server(serving: Serving, reads: int) -> Iterator[int]:
    """The alternative's port, on the same database."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.plain", str(port), str(reads)]
    process = subprocess.Popen(command, cwd=ROOT, env=serving.environment)
    try:
        for _ in range(200):
            try:
                httpx.get(f"http://127.0.0.1:{port}/done?id=00000000-0000-0000-0000-000000000000")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


async def measured(port: int, found: dict[str, Any], posts: list[Post]) -> list[float]:
    """Seconds from each POST until each page was told; what did not come is endless."""
    sent: dict[str, float] = {}
    told: list[tuple[str, float]] = []
    seen: dict[PageSocket, set[str]] = {}

    def heard(page: PageSocket, text: bytes, now: float) -> None:
        fresh = set(ids_in(text)) - seen.setdefault(page, set())
        seen[page] |= fresh
        told.extend((id, now) for id in fresh)

    cookies = found["cookies"]
    for number in range(SOCKETS):
        page = await open_page(("127.0.0.1", port), cookies[number % len(cookies)], heard)
        page.send({"type": "watch", "table": True, **ASKED})
    await asyncio.sleep(1)
    named = [(id, post) for (id, _), post in zip(found["rows"], posts, strict=True)]
    await post_all(port, named[:WARM_UP], {})
    await asyncio.sleep(1)
    await post_all(port, named[WARM_UP:], sent)
    end, wanted = time.monotonic() + WAIT_S, SOCKETS * len(sent)
    while len(told) < SOCKETS * len(posts) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    late = sorted(now - sent[id] for id, now in told if id in sent)
    return late + [float("inf")] * (wanted - len(late))


ASKED: dict[str, Any] = {"html": True} if not os.environ.get("FANOUT_IDS") else {}


@lru_cache(maxsize=64)
def ids_in(text: bytes) -> tuple[str, ...]:
    """The rows that a message names; most pages get the very same text."""
    message = json.loads(text)
    return tuple(id for id, _ in message["rows"]) if message["type"] == "changed" else ()


async def post_all(port: int, posts: list[tuple[str, Post]], sent: dict[str, float]) -> None:
    """At the rate, whatever is still unanswered."""
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits
    ) as http:

        async def deliver(number: int, public_id: str, post: Post) -> None:
            await asyncio.sleep(number / RATE)
            path, headers, content = post
            sent[public_id] = time.time()
            reply = await http.post(path, headers=headers, content=content)
            reply.raise_for_status()

        await asyncio.gather(*(deliver(number, *one) for number, one in enumerate(posts)))


def quantile(late: list[float], share: float) -> float:
    return late[min(len(late) - 1, int(len(late) * share))]


def line(name: str, late: list[float], base: float) -> tuple[str, ...]:
    """Of the table."""
    times = quantile(late, 0.5), quantile(late, 0.99), late[-1]
    shown = ["never" if second == float("inf") else f"{second * 1000:.0f} ms" for second in times]
    arrived = sum(second < float("inf") for second in late) / len(late)
    return name, *shown, f"{arrived:.1%}", f"{times[1] / base:.1f}"


if __name__ == "__main__":
    main()
