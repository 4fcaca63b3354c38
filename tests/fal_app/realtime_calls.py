"""Sessions of an own app as fal's Python client holds them; prints what it saw as JSON.

    realtime_calls.py REALTIME_URL ENDPOINT_ID

Run by `test_queue.py` through the gateway.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import fal_client.client as client
from fal_client import AsyncClient, SyncClient
from fal_client.client import RealtimeError

BASE, APP = sys.argv[1:]
client.REALTIME_URL_FORMAT = f"{BASE}/"


def sync() -> dict[str, Any]:
    seen: dict[str, Any] = {"echo": [], "counted": []}
    with SyncClient().realtime(APP, use_jwt=False, max_buffering=5) as session:
        for number in (1, 2):
            session.send({"number": number})
            seen["echo"].append(session.recv())
    with SyncClient().realtime(APP, use_jwt=False, path="/realtime/count") as session:
        session.send({"number": 3})
        seen["counted"] = sorted(session.recv()["number"] for _ in range(3))
    return seen


def error() -> str:
    with SyncClient().realtime(APP, use_jwt=False, path="/realtime/raise") as session:
        session.send({"number": 3})
        try:
            return f"answered {session.recv()}"
        except RealtimeError as failure:
            return str(failure)


async def other() -> Any:
    async with AsyncClient().realtime(APP, use_jwt=False) as session:
        await session.send({"number": 7})
        return await session.recv()


if __name__ == "__main__":
    seen = {"sync": sync(), "error": error(), "async": asyncio.run(other())}
    print(json.dumps(seen))
