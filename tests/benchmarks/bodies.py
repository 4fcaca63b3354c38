"""Bodies that are as bad as they may be: what a process keeps of them, once they are answered.

Goal: nothing that lasts. BODIES_MB is the size of the largest, 200 by default.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks.latency import make_member
from tests.benchmarks.report import table
from tests.process.serving import Serving, free_port

MB = 2**20
SIZE = int(os.environ.get("BODIES_MB", "200")) * MB
WITHIN = 30 * MB  # below the limit of a body
AT_ONCE, TIMES = 4, 8
REST_S = 70.0  # freed memory goes back to the system within that

LOGIN, HOOK = "/accounts/login/", "/hooks/fal/00000000-0000-0000-0000-000000000000/x/"
SUBMIT = "/api/v1/requests/"
JSON = {"Content-Type": "application/json"}


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        serving = Serving(Path(folder), SANDBOX_PORT=str(free_port()))
        with serving:
            token = {"Authorization": f"Bearer {make_member(serving)}", **JSON}
            for path in (LOGIN, HOOK, SUBMIT):  # what is loaded late is loaded now
                httpx.post(f"{serving.url}{path}", content=b"{}", headers=token)
            rows = list(kept(serving, token))
    table("What bodies leave behind", ("", "answers", "at most", "after", "a minute later"), rows)


def kinds(token: dict[str, str]) -> dict[str, tuple[str, Any, dict[str, str]]]:
    """Path, body and headers."""
    keys = json.dumps({f"key {number}": number for number in range(100_000)})
    deep = "[" * MB
    return {
        f"{SIZE // MB} MB, declared": (LOGIN, lambda: b"x" * SIZE, {}),
        f"{SIZE // MB} MB in chunks": (LOGIN, lambda: chunks(SIZE), {}),
        "30 MB webhook of no request": (HOOK, lambda: b"x" * WITHIN, JSON),
        "30 MB form of a stranger": (LOGIN, lambda: multipart(WITHIN), MULTIPART),
        "30 MB JSON": (SUBMIT, lambda: submit(json.dumps("x" * WITHIN)), token),
        "100,000 keys": (SUBMIT, lambda: submit(keys), token),
        "100,000 keys of a stranger": (SUBMIT, lambda: submit(keys), JSON),
        "1 MB of opening brackets": (SUBMIT, lambda: submit(deep), token),
    }


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def multipart(size: int) -> bytes:
    """A form with one long field."""
    return b'--b\r\nContent-Disposition: form-data; name="login"\r\n\r\n%s\r\n--b--\r\n' % (
        b"x" * size
    )


def chunks(size: int) -> Iterator[bytes]:
    """A body of unknown length."""
    for _ in range(size // MB):
        yield b"x" * MB


def submit(value: str) -> bytes:
    """A request with this input."""
    return b'{"endpoint_id": "sandbox/echo", "input": {"value": %s}}' % value.encode()


def resident(serving: Serving) -> int:
    """Bytes of memory of its own; pages of the database's file are the system's to take back."""
    assert serving.process is not None
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


def kept(serving: Serving, token: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Line by line; each kind some times, several at once."""
    start = resident(serving)
    yield "before", "", "", f"{start / MB:.0f} MB", ""
    for name, (path, body, headers) in kinds(token).items():
        most = [0]

        def call(_: int, path: str = path, body: Callable[[], Any] = body,
                 headers: dict[str, str] = headers, most: list[int] = most) -> str:  # fmt: skip
            try:
                reply = httpx.post(
                    f"{serving.url}{path}", content=body(), headers=headers, timeout=120
                )
                return str(reply.status_code)
            except httpx.TransportError:
                return "cut"
            finally:
                most[0] = max(most[0], resident(serving))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = sorted(set(pool.map(call, range(TIMES))))
        yield (
            name,
            " ".join(answers),
            *(f"{size / MB:.0f} MB" for size in (most[0], resident(serving))),
            "",
        )
    time.sleep(REST_S)
    yield "at rest", "", "", "", f"{resident(serving) / MB:.0f} MB"


if __name__ == "__main__":
    main()
