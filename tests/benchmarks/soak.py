"""For minutes at a steady pace: does memory grow, does anything stay open, does anything go wrong?

SOAK_SECONDS and SOAK_RATE change it; the goal is stated for two hours at 5 requests a second, a slope of
at most 1 MB an hour after warm-up.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

import httpx

from tests.benchmarks.latency import make_member
from tests.benchmarks.report import table
from tests.ports import free_port
from tests.process.serving import ROOT, Serving

SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))
RATE = float(os.environ.get("SOAK_RATE", "5"))
WARM_UP = 0.3  # of the time
SAMPLED_EVERY_S = 5.0
REST_S = 60.0
LIVE = ("pending", "submitting", "in_queue", "in_progress", "uncertain")
INPUTS = [
    {"endpoint_id": "sandbox/echo", "input": {"delay_s": 0.3}},
    {"endpoint_id": "sandbox/slow", "input": {"steps": 3, "seconds_per_step": 0.1}},
    {"endpoint_id": "sandbox/image", "input": {"prompt": "a lighthouse at dusk"}},
    {"endpoint_id": "sandbox/text", "mode": "stream", "input": {"prompt": "a lighthouse"}},
]


@dataclass(frozen=True)
class Sample:
    """The server at one moment: seconds since the start, MB, and what it holds open."""

    at: float
    rss: float
    files: int
    sockets: int


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder)) as fal:
        serving = Serving(
            Path(folder), FAL_KEY="sandbox:sandbox", FAL_RUN_URL=f"{fal}/run",
            FAL_QUEUE_URL=f"{fal}/queue", FAL_REST_URL=f"{fal}/rest",
            FAL_JWKS_URL=f"{fal}/rest/.well-known/jwks.json",
        )  # fmt: skip
        serving.environment["PUBLIC_URL"] = serving.url
        with serving:
            token = make_member(serving)
            samples, refused, left = asyncio.run(soaked(serving, token))
        said = serving.log.read_text()
    title = f"{RATE:g} requests a second for {SECONDS} s"
    table(title, ("", "start", "after warm-up", "end"), list(lines(samples)))
    per_hour = slope([one for one in samples if one.at > WARM_UP * SECONDS]) * 3600
    print(f"  memory after warm-up: {per_hour:+.1f} MB an hour")
    wrong = said.count(" ERROR ") + said.count("Traceback")
    print(f"  submits not taken: {refused}; still open: {left}; errors in the log: {wrong}")


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """A fal in a process of its own, whose memory is not ours."""
    port = free_port()
    command = [sys.executable, "-m", "requests_app.sandbox", "--port", str(port)]
    process = subprocess.Popen([*command, "--state", str(folder / "fal.sqlite3")], cwd=ROOT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


async def soaked(serving: Serving, token: str) -> tuple[list[Sample], int, dict[str, int]]:
    """Samples, submits that were not taken, and what is still open after a while."""
    assert serving.process is not None
    pid, refused, began = serving.process.pid, 0, time.monotonic()
    headers = {"Authorization": f"Bearer {token}"}
    base = f"{serving.url}/api/v1/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:

        async def submit(number: int) -> None:
            nonlocal refused
            await asyncio.sleep(number / RATE)
            try:
                made = await client.post(
                    "requests/", json={**INPUTS[number % len(INPUTS)], "allow_duplicate": True}
                )
            except httpx.TransportError:
                refused += 1
            else:
                refused += not made.is_success

        work = asyncio.gather(*(submit(number) for number in range(int(RATE * SECONDS))))
        samples = [sample(pid, began)]
        while not work.done():
            await asyncio.sleep(SAMPLED_EVERY_S)
            samples.append(sample(pid, began))
        end = time.monotonic() + REST_S
        while (left := await still_open(client)) and time.monotonic() < end:
            await asyncio.sleep(1)
    return [*samples, sample(pid, began)], refused, left


async def still_open(client: httpx.AsyncClient) -> dict[str, int]:
    """Live requests by status."""
    counts = {}
    for status in LIVE:
        listed = await client.get("requests/", params={"status": status, "limit": 100})
        counts[status] = len(listed.raise_for_status().json()["items"])
    return {status: count for status, count in counts.items() if count}


def sample(pid: int, began: float) -> Sample:
    """As the kernel tells."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    open_files = [target(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
    sockets = sum(name.startswith("socket:") for name in open_files)
    return Sample(time.monotonic() - began, rss, len(open_files), sockets)


def target(link: Path) -> str:
    """Of a file descriptor; empty when it was closed meanwhile."""
    try:
        return str(link.readlink())
    except OSError:
        return ""


def slope(samples: list[Sample]) -> float:
    """MB a second, by the straight line that fits best."""
    return linear_regression([one.at for one in samples], [one.rss for one in samples]).slope


def lines(samples: list[Sample]) -> Iterator[tuple[str, ...]]:
    """Of the table."""
    warm = next(one for one in samples if one.at >= WARM_UP * SECONDS)
    shown = (samples[0], warm, samples[-1])
    yield "memory (RSS)", *(f"{one.rss:.1f} MB" for one in shown)
    yield "open files", *(str(one.files) for one in shown)
    yield "of them sockets", *(str(one.sockets) for one in shown)


if __name__ == "__main__":
    main()
