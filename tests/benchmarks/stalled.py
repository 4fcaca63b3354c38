"""Viewers that read nothing beside viewers that do, during a large stream.

Goals, for 256 MB and 100 viewers of each kind: the process grows by 64 MB at most, and the healthy ones'
99th percentile at most doubles. STALLED_MB and STALLED_VIEWERS make it smaller, STALLED_PAUSE (seconds
between events of 32 KB) sets how fast.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path
from typing import Any

from tests.benchmarks.report import table
from tests.benchmarks.viewers import begin, read, service, watch
from tests.process.serving import Serving

MEGABYTES = int(os.environ.get("STALLED_MB", "256"))
VIEWERS = int(os.environ.get("STALLED_VIEWERS", "100"))
SIZE = 32 * 1024
COUNT = MEGABYTES * 2**20 // SIZE
# The healthy ones alone keep up with this.
PAUSE_S = float(os.environ.get("STALLED_PAUSE", 0.005 * VIEWERS / 10))


def main() -> None:
    """Print the table."""
    rows = []
    with service() as (reader, serving):
        for name, stalled in (("healthy alone", 0), ("beside stalled", VIEWERS)):
            before = resident(serving)
            late, most = asyncio.run(watched(reader, serving, stalled))
            middle, worst = late[len(late) // 2], late[int(len(late) * 0.99)]
            grown = (most - before) / 2**20
            rows.append(
                (name, f"{middle * 1000:.0f} ms", f"{worst * 1000:.0f} ms", f"{grown:.0f} MB")
            )
    title = f"{VIEWERS} healthy viewers of {MEGABYTES} MB, with {VIEWERS} stalled"
    table(title, ("", "late by", "99 %", "process grew by"), rows)


async def watched(reader: Any, serving: Serving, stalled: int) -> tuple[list[float], int]:
    """How late each event was for each healthy viewer, sorted; the most memory meanwhile."""
    public_id = begin(reader, {"count": COUNT, "size": SIZE, "pause": PAUSE_S, "delay": 5.0})
    asleep = [await sleeper(reader, serving, public_id) for _ in range(stalled)]
    awake = [await watch(reader, serving, public_id) for _ in range(VIEWERS)]
    most = asyncio.create_task(peak(serving))
    late = await asyncio.gather(*(read(one, COUNT) for one in awake))
    most.cancel()
    for one in awake:
        await one.close()
    for one in asleep:
        one.transport.abort()
    found: list[int] = (await asyncio.gather(most))[0]
    return sorted(second for each in late for second in each), max(found)


async def sleeper(reader: Any, serving: Serving, public_id: str) -> Any:
    """A viewer that never reads."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", serving.port))
    viewer = await watch(reader, serving, public_id, sock=raw)
    viewer.transport.pause_reading()
    return viewer


async def peak(serving: Serving) -> list[int]:
    """Looks until cancelled."""
    seen = [resident(serving)]
    try:
        while True:
            seen.append(resident(serving))
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return seen


def resident(serving: Serving) -> int:
    """Bytes of memory the service has now."""
    assert serving.process is not None
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
