"""Ten thousand open pages on one process: memory, a change, and a forced drop.

Goals: 700 MB, a change reaches 99 % within 2 s, and after the process was killed and started again all
are back and current within 60 s. CROWD_SOCKETS and CROWD_USERS change the number.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.fanout import post_all, webhook_posts, with_webhooks
from tests.benchmarks.open_rows import put_in
from tests.benchmarks.report import processor_s, table
from tests.benchmarks.stalled import resident
from tests.benchmarks.stub import running
from tests.process.serving import ROOT, Serving
from tests.signing import Signer

SOCKETS = int(os.environ.get("CROWD_SOCKETS", "10000"))
USERS = int(os.environ.get("CROWD_USERS", "500"))
OPEN_S, CHANGE_S, BACK_S = 120.0, 20.0, 120.0  # given up after that
CHANGES = 5
State = dict[str, Any]


def main() -> None:
    """Print the table."""
    signer = Signer()
    with tempfile.TemporaryDirectory() as folder, running(signer) as fal:
        serving = with_webhooks(Path(folder), fal)
        with serving:
            found = put_in(serving, CHANGES + 1, USERS)
            cookies = Path(folder, "cookies")
            cookies.write_text("\n".join(found["cookies"]))
            posts = webhook_posts(signer, found["rows"])
            with crowd(serving.port, cookies) as states:
                rows = list(figures(serving, states, found["rows"], posts))
    table(f"{SOCKETS:,} open pages of {USERS} users", ("", "found", "goal"), rows)


class States:
    """What the crowd says of itself, as it says it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.all: list[State] = []
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.all.append(json.loads(line))

    def until(self, reached: Callable[[State], bool], seconds: float) -> State:
        """The first state from now on that has reached it, or the last."""
        end, first = time.time() + seconds, len(self.all)
        while time.time() < end:
            if found := next(filter(reached, self.all[first:]), None):
                return found
            time.sleep(0.05)
        return self.all[-1]


@contextmanager
def crowd(port: int, cookies: Path) -> Iterator[States]:
    """The pages, in a process of their own."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd_client"]
    process = subprocess.Popen(
        [*command, str(port), str(SOCKETS), str(cookies)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield States(process)
    finally:
        process.kill()
        process.wait()


def figures(
    serving: Serving, states: States, rows: list[Any], posts: list[Any]
) -> Iterator[tuple[str, str, str]]:
    """Line by line."""
    began = time.time()
    opened = states.until(lambda state: state["open"] >= SOCKETS, OPEN_S)
    yield "opened", f"{opened['open']:,} in {opened['at'] - began:.0f} s", ""
    yield "refused or cut meanwhile", f"{opened['refused']:,}", "0"
    time.sleep(10)  # two rounds of checked rights
    yield "memory (RSS)", f"{resident(serving) / 2**20:.0f} MB", "700 MB"
    yield "processor at rest", f"{at_rest(serving):.0%} of a core", ""
    took = [
        change(serving, states, row[0], post)
        for row, post in zip(rows[:CHANGES], posts[:CHANGES], strict=True)
    ]
    yield "a change reaches 99 % (worst of 5)", f"{max(took):.2f} s", "2 s"
    yield "memory then", f"{resident(serving) / 2**20:.0f} MB", "700 MB"
    serving.kill()
    dropped, newest = time.time(), states.all[-1]["newest"]
    serving.start()
    started = time.time()
    asyncio.run(post_all(serving.port, [(rows[-1][0], posts[-1])], {}))
    back = states.until(
        lambda state: state["current"] >= SOCKETS and state["newest"] > newest, BACK_S
    )
    yield "killed; answering again after", f"{started - dropped:.1f} s", ""
    found = f"{back['current']:,} after {back['at'] - dropped:.0f} s"
    yield "back and current", found, f"{SOCKETS:,} in 60 s"
    yield "refused or cut meanwhile", f"{back['refused'] - opened['refused']:,}", ""
    yield "memory then", f"{resident(serving) / 2**20:.0f} MB", "700 MB"


def change(serving: Serving, states: States, public_id: str, post: Any) -> float:
    """Seconds until 99 % know it."""
    newest, began = states.all[-1]["newest"], time.time()
    asyncio.run(post_all(serving.port, [(public_id, post)], {}))
    known = states.until(
        lambda state: state["newest"] > newest and state["current"] >= SOCKETS * 0.99, CHANGE_S
    )
    is_known = known["newest"] > newest and known["current"] >= SOCKETS * 0.99
    return known["at"] - began if is_known else float("inf")


def at_rest(serving: Serving, seconds: float = 10) -> float:
    """Share of a core."""
    before = processor_s(serving.process)
    time.sleep(seconds)
    return (processor_s(serving.process) - before) / seconds


if __name__ == "__main__":
    main()
