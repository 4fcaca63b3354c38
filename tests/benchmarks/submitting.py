"""Submits at a steady rate, with a thousand requests open, to a fal that answers each in 20 ms.

Alone on SQLite; with DATABASE_URL and REDIS_URL in the environment (`bash .ci/services make bench ARGS=submitting`) with
web, worker and clock as processes of their own. The client is another process and sends at the rate, whatever is still
unanswered. Goals: 100 a second alone, 200 scaled, answered within 10 ms at the median and 30 ms at 99 %, and full speed
less than 5 s after the start. SUBMIT_RATE and SUBMIT_SECONDS change the load.
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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from tests.benchmarks.fanout import with_webhooks
from tests.benchmarks.latency import make_member
from tests.benchmarks.open_rows import put_in
from tests.benchmarks.report import processor_s, table
from tests.benchmarks.stub import running
from tests.process.serving import ROOT, Serving
from tests.signing import Signer

SERVICES = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
RATE = float(os.environ.get("SUBMIT_RATE", "200" if SERVICES else "100"))
SECONDS = float(os.environ.get("SUBMIT_SECONDS", "30"))
COUNT = int(RATE * SECONDS)
OPEN = 1000
FULL_SPEED_S = 5.0
LATE_S = 60.0  # for what fal has not got when the client is done
Figures = dict[str, Any]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running(Signer(), delay_s=0.02) as fal:
        serving = with_webhooks(Path(folder), fal)
        serving.environment |= SERVICES | {"API_CALLS_PER_MINUTE": "1000000"}
        with serving, ExitStack() as stack:
            token = make_member(serving)
            put_in(serving, OPEN)
            processes = {"web": serving.process}
            if SERVICES:
                processes["worker"] = stack.enter_context(
                    celery(serving, "worker", "--pool", "threads")
                )
                stack.enter_context(celery(serving, "beat", "--schedule", f"{folder}/beat"))
            before = {name: processor_s(process) for name, process in processes.items()}
            found = client(serving.url, token)
            taken = until_taken(fal, len(found["sent"]))
            spent = {
                name: (processor_s(process) - before[name]) / COUNT * 1000
                for name, process in processes.items()
            }
    where = "PostgreSQL, web and worker apart" if SERVICES else "SQLite, one process"
    title = f"{RATE:g} submits a second for {SECONDS:g} s, {OPEN} more open ({where})"
    table(title, ("what", "figure"), list(lines(found, taken, spent)))


@contextmanager
def celery(serving: Serving, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker or clock beside the web process."""
    command = [sys.executable, "-m", "celery", "-A", "dashboard", *words]
    with serving.log.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=serving.environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def client(url: str, token: str) -> Figures:
    """Send from a process of its own: when each was sent, how long until its answer, by the id it got."""
    command = [sys.executable, "-m", "tests.benchmarks.submitting", url, token]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: Figures = json.loads(done.stdout)
    return found


def until_taken(fal: str, count: int) -> dict[str, float]:
    """When fal got each, by the id of the request."""
    end = time.monotonic() + LATE_S
    while len(taken := httpx.get(f"{fal}/taken").json()) < count and time.monotonic() < end:
        time.sleep(0.5)
    return {url.split("/hooks/fal/")[1].split("/")[0]: at for url, at in taken.items()}


def lines(
    found: Figures, taken: dict[str, float], spent: dict[str, float]
) -> Iterator[tuple[str, str]]:
    """What is shown."""
    sent: dict[str, float] = found["sent"]
    first = min(sent.values())
    yield "answered", f"{len(sent):,} of {COUNT:,}, others {found['others']}"
    yield "answered within", quantiles(found["took"])
    yield "fal has", f"{len(sent.keys() & taken.keys()):,}"
    arrived = sorted(at - first for id, at in taken.items() if id in sent)
    yield "rate at fal", f"{len(arrived) / arrived[-1]:.0f} a second"
    early = [taken[id] - at for id, at in sent.items() if id in taken and at - first < FULL_SPEED_S]
    late = [taken[id] - at for id, at in sent.items() if id in taken and at - first >= FULL_SPEED_S]
    for name, waits in ((f"in the first {FULL_SPEED_S:g} s", early), ("afterwards", late)):
        yield f"until fal has it, {name}", quantiles(waits) if waits else "none"
    for name, ms in spent.items():
        yield f"processor for a submit, {name}", f"{ms:.1f} ms"


def quantiles(seconds: list[float]) -> str:
    """The median, 99 % and the worst."""
    seconds = sorted(seconds)
    shown = seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)], seconds[-1]
    return " / ".join(f"{one * 1000:.0f}" for one in shown) + " ms (median, 99 %, worst)"


async def send(url: str, token: str) -> Figures:
    """Each at its time; `sent` is when, by the clock that all processes of a machine share."""
    found: Figures = {"sent": {}, "took": [], "others": 0}
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as http:
        began = time.monotonic() + 0.5

        async def submit(number: int) -> None:
            due = began + number / RATE
            await asyncio.sleep(due - time.monotonic())
            body = {"endpoint_id": "acme/img", "input": {"prompt": "a lake", "seed": number}}
            async with http.post(f"{url}/api/v1/requests/", json=body) as reply:
                text = await reply.text()
                if reply.status != 201:
                    found["others"] += 1
                    return
            found["took"].append(time.monotonic() - due)
            found["sent"][json.loads(text)["id"]] = due

        await asyncio.gather(*(submit(number) for number in range(COUNT)))
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(send(*sys.argv[1:]))))
    else:
        main()
