"""Every way of calling by fal's own Python client, sync and async; prints what the client saw as JSON.

    gateway_calls.py RUN_URL QUEUE_URL

Run by `test_gateway.py` once against the sandbox and once through the gateway.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import fal_client.client as client
from fal_client import AsyncClient, Completed, FalClientHTTPError, SyncClient

RUN, QUEUE = sys.argv[1:]
client.RUN_URL_FORMAT, client.QUEUE_URL_FORMAT = f"{RUN}/", f"{QUEUE}/"
client.REALTIME_URL_FORMAT = f"{RUN.replace('http', 'ws', 1)}/"

SLOW = {"steps": 2, "seconds_per_step": 0.05}
WORDS = {"words": 4, "delay_s": 0.01}
PATIENT = {"seconds": 30}


def here(url: str) -> bool:
    """Whether a URL of a handle leads to where the client was pointed."""
    return url.startswith(f"{QUEUE}/")


def described(value: Any) -> str:
    """A message, with its bytes."""
    return repr(sorted(value.items()))


def failure(error: FalClientHTTPError) -> list[Any]:
    return [error.status_code, error.response.json()]


def sync() -> dict[str, Any]:
    fal, seen, updates = SyncClient(), {}, []
    seen["run"] = fal.run("sandbox/echo", {"number": 21})
    seen["subscribe"] = fal.subscribe(
        "sandbox/slow", SLOW, with_logs=True, on_queue_update=updates.append
    )["steps"]
    seen["logs"] = [line["message"] for line in updates[-1].logs]
    handle = fal.submit("sandbox/patient", PATIENT, priority="low")
    seen["urls"] = [
        here(url) for url in (handle.status_url, handle.response_url, handle.cancel_url)
    ]
    seen["open"] = isinstance(handle.status(), Completed)
    handle.cancel()
    seen["events"] = type([*handle.iter_events()][-1]).__name__
    try:
        handle.get()
    except FalClientHTTPError as error:
        seen["cancelled"] = failure(error)
    by_id = fal.submit("sandbox/echo", {"number": 2})
    by_id.get()
    seen["by id"] = fal.result("sandbox/echo", by_id.request_id)
    seen["status by id"] = type(fal.status("sandbox/echo", by_id.request_id)).__name__
    seen["stream"] = list(fal.stream("sandbox/text", WORDS))
    with fal.realtime("sandbox/echo", use_jwt=False) as session:
        session.send({"number": 1.5, "outputs": 2, "request_id": "mine", "image": b"\x00\xff"})
        seen["realtime"] = [described(session.recv()) for _ in range(2)]
    try:
        fal.subscribe("sandbox/strict", {"prompt": "x"})
    except FalClientHTTPError as error:
        seen["invalid"] = failure(error)
    try:
        fal.run("sandbox/nothing", {"a": 1})
    except FalClientHTTPError as error:
        seen["unknown"] = failure(error)
    return seen


async def other() -> dict[str, Any]:
    fal, seen = AsyncClient(), {}
    seen["run"] = await fal.run("sandbox/echo", {"number": 21})
    seen["subscribe"] = (await fal.subscribe("sandbox/slow", SLOW, with_logs=True))["steps"]
    handle = await fal.submit("sandbox/patient", PATIENT)
    await handle.cancel()
    seen["events"] = type([event async for event in handle.iter_events()][-1]).__name__
    seen["stream"] = [event async for event in fal.stream("sandbox/text", WORDS)]
    async with fal.realtime("sandbox/echo", use_jwt=False) as session:
        await session.send({"number": 2})
        seen["realtime"] = described(await session.recv())
    seen["many"] = await asyncio.gather(
        *(fal.run("sandbox/echo", {"number": n}) for n in range(20))
    )
    return seen


if __name__ == "__main__":
    print(json.dumps({"sync": sync(), "async": asyncio.run(other())}, sort_keys=True))
