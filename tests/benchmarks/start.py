"""From the start command to the first page, and what the process weighs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.benchmarks.report import table
from tests.ports import free_port
from tests.process.serving import ROOT, Serving

SETTLE_S = 3.0  # what is loaded late is loaded by then


async def bare(scope: dict, receive, send) -> None:
    """The least that Daphne can serve."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        first = served(Path(folder))
        later = served(Path(folder))
    columns = ("start", "first page", "memory (PSS)")
    rows = [
        ("serve, empty folder, sandbox inside", *first),
        ("serve, started before", *later),
        ("floor: Daphne with one function", *floor()),
    ]
    table("Start", columns, rows)


def served(folder: Path) -> tuple[str, str]:
    """Our server, with everything in its one process."""
    serving = Serving(folder, SANDBOX_PORT=str(free_port()))
    began = time.monotonic()
    with serving:
        assert serving.process is not None
        page = f"{serving.url}/accounts/login/"
        return first_page(page, began), weight(serving.process.pid)


def floor() -> tuple[str, str]:
    """The server we use with nothing in it."""
    port = str(free_port())
    command = [sys.executable, "-m", "daphne", "-v0", "-p", port, "tests.benchmarks.start:bare"]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return first_page(f"http://127.0.0.1:{port}/", began), weight(process.pid)
    finally:
        process.kill()
        process.wait()


def first_page(url: str, began: float) -> str:
    """Until the page is there, asked for again and again."""
    while time.monotonic() < began + 30:
        try:
            httpx.get(url, follow_redirects=True).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return f"{time.monotonic() - began:.2f} s"
    raise TimeoutError(url)


def weight(pid: int) -> str:
    """Proportional set size; shared pages are divided among those who share them."""
    time.sleep(SETTLE_S)
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return f"{kilobytes / 1024:.0f} MB"
