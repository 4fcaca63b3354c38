"""Pages that watch a stream, and the service they watch it at."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.events import running
from tests.benchmarks.latency import Reader
from tests.process.serving import Serving
from tests.signing import Signer


@contextmanager
def service() -> Iterator[tuple[Reader, Serving]]:
    """A service at the quick fal, and somebody who is logged in."""
    with tempfile.TemporaryDirectory() as folder, running() as (fal, _):
        serving = Serving(
            Path(folder), FAL_KEY="id:secret", FAL_RUN_URL=fal, FAL_QUEUE_URL=fal,
            RECORD_BYTES=str(2**30), RECORD_FRAMES=str(10**7),
        )  # fmt: skip
        with serving:
            reader = Reader(serving, fal, Signer())
            reader.socket.close()  # nobody reads the list here
            yield reader, serving


def begin(reader: Reader, wish: dict[str, Any]) -> str:
    """Start a stream; its id."""
    body = {"endpoint_id": "acme/text", "mode": "stream", "input": wish, "allow_duplicate": True}
    headers = {"Authorization": f"Bearer {reader.token}"}
    made = reader.http.post("/api/v1/requests/", json=body, headers=headers)
    public_id: str = made.raise_for_status().json()["id"]
    return public_id


async def watch(reader: Reader, serving: Serving, public_id: str, **how: Any) -> ClientConnection:
    """A page that follows the stream from its beginning."""
    cookies = "; ".join(f"{name}={value}" for name, value in reader.http.cookies.items())
    socket = await connect(
        f"{serving.url.replace('http', 'ws', 1)}/ws/",
        compression=None, max_size=None, ping_interval=None,
        additional_headers={"Cookie": cookies, "Origin": serving.url}, **how,
    )  # fmt: skip
    await socket.send(json.dumps({"type": "watch", "request": public_id}))
    return socket


async def read(socket: ClientConnection, count: int) -> list[float]:
    """Seconds from the sending of each event until it was here."""
    late: list[float] = []
    while len(late) < count:
        message = json.loads(await socket.recv())
        now = time.monotonic()
        late += [now - json.loads(f["data"])["at"] for f in message.get("frames", [])]
    return late
