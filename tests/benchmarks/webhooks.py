"""Webhooks at a steady rate, with forgeries in between: how long fal waits for our answer.

WEBHOOK_RATE and WEBHOOK_SECONDS change it; the goal is stated for 50 a second, p99 under 100 ms.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from itertools import islice
from pathlib import Path

import httpx

from tests.benchmarks.latency import make_member
from tests.benchmarks.report import table
from tests.benchmarks.stub import running
from tests.forgeries import forgeries
from tests.process.serving import Serving
from tests.signing import Signer, body_of

RATE = int(os.environ.get("WEBHOOK_RATE", "50"))
SECONDS = int(os.environ.get("WEBHOOK_SECONDS", "20"))
SUBMIT_S = 300


def main() -> None:
    """Print the table."""
    signer = Signer()
    with tempfile.TemporaryDirectory() as folder, running(signer) as fal:
        serving = Serving(
            Path(folder), FAL_KEY="id:secret", FAL_QUEUE_URL=f"{fal}/queue", FAL_RUN_URL=fal,
            FAL_REST_URL=fal, FAL_API_URL=fal, FAL_JWKS_URL=f"{fal}/jwks.json",
        )  # fmt: skip
        serving.environment["PUBLIC_URL"] = serving.url
        with serving:
            hooks = asyncio.run(submitted(serving, fal, make_member(serving)))
            rows = [
                row("genuine", asyncio.run(delivered(genuine(signer, hooks)))),
                row("forged", asyncio.run(delivered(forged(signer, hooks)))),
            ]
    columns = ("", "POSTs", "median", "99 %", "worst", "answers")
    table(f"{RATE} webhooks a second for {SECONDS} s", columns, rows)


async def submitted(serving: Serving, fal: str, token: str) -> dict[str, str]:
    """As many requests as will be delivered, all taken by fal: its request id -> our address."""
    count, places = RATE * SECONDS, asyncio.Semaphore(8)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:

        async def submit() -> None:
            async with places:
                body = {
                    "endpoint_id": "acme/img",
                    "input": {"prompt": "a lake"},
                    "allow_duplicate": True,
                }
                made = await client.post(f"{serving.url}/api/v1/requests/", json=body)
                made.raise_for_status()

        await asyncio.gather(*(submit() for _ in range(count)))
        end = time.monotonic() + SUBMIT_S
        while len(hooks := (await client.get(f"{fal}/seen")).json()) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(hooks)} of {count} were submitted")
            await asyncio.sleep(0.5)
    return dict(hooks)


Post = tuple[str, dict[str, str], bytes]


def genuine(signer: Signer, hooks: dict[str, str]) -> list[Post]:
    """One for each request."""
    bodies = {request_id: body_of(request_id) for request_id in hooks}
    return [(hooks[one], signer.headers(one, body), body) for one, body in bodies.items()]


def forged(signer: Signer, hooks: dict[str, str]) -> list[Post]:
    """As many of a request that has its end by now: every bit of its signature."""
    request_id, hook = next(iter(hooks.items()))
    sent = islice(forgeries(signer, request_id, seed=1), min(len(hooks), 8 * 512))
    return [(hook, one.headers, one.body) for one in sent]


async def delivered(posts: list[Post]) -> tuple[list[float], set[int]]:
    """Sent at the rate, whatever is still unanswered: seconds of each, sorted, and what was said."""
    late: list[float] = []
    answers: set[int] = set()
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=200)) as client:

        async def deliver(number: int, post: Post) -> None:
            await asyncio.sleep(number / RATE)
            began = time.perf_counter()
            hook, headers, body = post
            answers.add((await client.post(hook, headers=headers, content=body)).status_code)
            late.append(time.perf_counter() - began)

        await asyncio.gather(*(deliver(number, post) for number, post in enumerate(posts)))
    return sorted(late), answers


def row(name: str, found: tuple[list[float], set[int]]) -> tuple[str, ...]:
    """A line of the table."""
    late, answers = found
    times = late[len(late) // 2], late[int(len(late) * 0.99)], late[-1]
    shown = [f"{seconds * 1000:.0f} ms" for seconds in times]
    return name, str(len(late)), *shown, " ".join(map(str, sorted(answers)))


if __name__ == "__main__":
    main()
