"""Ten thousand pages in one process, which behave as the page's script does.

`python -m tests.benchmarks.crowd_client PORT COUNT COOKIES` (a file with one cookie a line). It opens
the sockets from several loopback addresses, for one address has 28,000 ports; a lost one comes back
after the script's pause (static/js/lib/socket.js). Prints a line of JSON for each quarter of a second;
`current` pages are open and know the newest version that any page has heard of.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import sys
import time
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.benchmarks.page import PageSocket, open_page

AT_ONCE = 100  # handshakes under way at the first opening; nothing limits those of a comeback
PER_ADDRESS = 2000
FIRST_RETRY_S, LONGEST_RETRY_S, HEAL_S = 0.5, 30.0, 30.0  # as the script
TELL_S = 0.25


class Crowd:
    """What all pages know."""

    def __init__(self, port: int, cookies: list[str]) -> None:
        self.port, self.cookies = port, cookies
        self.opening = asyncio.Semaphore(AT_ONCE)
        self.open: dict[int, PageSocket] = {}
        self.known: dict[int, int] = {}  # page -> newest version
        self.newest = 0
        self.refused = 0

    async def page(self, number: int) -> None:
        """One page, for ever."""
        failures, gate = 0, self.opening
        while True:
            try:
                async with gate or nullcontext():
                    page = await self._greeted(number)
            except OSError:
                self.refused += 1
            else:
                failures, gate = 0, None
                self.open[number] = page
                await page.lost
                del self.open[number]
            longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2**failures)
            failures += 1
            await asyncio.sleep(FIRST_RETRY_S + random.random() * longest)

    async def _greeted(self, number: int) -> PageSocket:
        """Open until the server's hello. Raises OSError."""
        hello = asyncio.get_running_loop().create_future()

        def heard(page: PageSocket, text: bytes, now: float) -> None:
            kind, newest = version_in(text)
            if kind == "hello" and not hello.done():
                hello.set_result(None)
            self.newest = max(self.newest, newest)
            self.known[number] = max(newest, self.known.get(number, 0))

        page = await open_page(
            ("127.0.0.1", self.port), self.cookies[number % len(self.cookies)], heard,
            source=f"127.0.0.{2 + number // PER_ADDRESS}",
        )  # fmt: skip
        page.send(WATCH | ({"since": self.known[number]} if number in self.known else {}))
        await asyncio.wait({hello, page.lost}, return_when=asyncio.FIRST_COMPLETED)
        if not hello.done():
            raise ConnectionResetError("closed before its hello")
        return page

    async def heal(self) -> None:
        """Each page asks now and then what is newer."""
        while True:
            for number, page in list(self.open.items()):
                page.send({"type": "since", "seq": self.known.get(number, 0)})
                if number % 50 == 0:
                    await asyncio.sleep(HEAL_S * 50 / max(len(self.open), 50))
            await asyncio.sleep(1)

    def state(self) -> dict[str, Any]:
        current = sum(self.known.get(number) == self.newest for number in self.open)
        return {
            "at": time.time(), "open": len(self.open), "current": current, "newest": self.newest,
            "refused": self.refused,
        }  # fmt: skip


WATCH: dict[str, Any] = {"type": "watch", "table": True, "html": True}


@lru_cache(maxsize=256)
def version_in(text: bytes) -> tuple[str, int]:
    """Type, and the newest version that a message names."""
    message = json.loads(text)
    seqs = [seq for _, seq in message.get("rows") or ()]
    return message["type"], max([message.get("seq", 0), *seqs])


async def main(port: int, count: int, cookies: str) -> None:
    """Until killed."""
    crowd = Crowd(port, Path(cookies).read_text().split())
    tasks = [asyncio.create_task(crowd.page(number)) for number in range(count)]
    tasks.append(asyncio.create_task(crowd.heal()))
    gc.freeze()
    while True:
        print(json.dumps(crowd.state()), flush=True)
        await asyncio.sleep(TELL_S)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
