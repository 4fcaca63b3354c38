"""The queue of an own app as fal's Python client sees it; prints what it saw as JSON.

    queue_calls.py QUEUE_URL WEBHOOK_URL ENDPOINT_ID

Run by `test_queue.py` through the gateway.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import fal_client.client as client
from fal_client import AsyncClient, FalClientHTTPError, SyncClient

QUEUE, WEBHOOK, APP = sys.argv[1:]
client.QUEUE_URL_FORMAT = f"{QUEUE}/"


def sync() -> dict[str, Any]:
    fal, seen, updates = SyncClient(), {}, []
    answer = fal.subscribe(
        APP, {"prompt": "a lake", "seconds": 1}, with_logs=True, on_queue_update=updates.append
    )
    seen["text"] = answer["text"]
    seen["updates"] = sorted({type(one).__name__ for one in updates})
    seen["logs"] = [line["message"] for line in updates[-1].logs]
    seen["time"] = updates[-1].metrics["inference_time"] >= 1
    first = fal.submit(APP, {"prompt": "first", "seconds": 3}, webhook_url=WEBHOOK)
    second = fal.submit(APP, {"prompt": "second"})
    seen["waits"] = type(second.status()).__name__
    second.cancel()
    try:
        second.get()
    except FalClientHTTPError as error:
        seen["cancelled"] = error.status_code
    seen["first"] = first.get()["text"]
    seen["id"] = first.request_id
    try:
        fal.subscribe(APP, {"prompt": ""})
    except FalClientHTTPError as error:
        seen["invalid"] = [error.status_code, error.response.json()["detail"][0]["type"]]
    return seen


async def other() -> dict[str, Any]:
    fal = AsyncClient()
    handle = await fal.submit(APP, {"prompt": "a hill"})
    names = [type(event).__name__ async for event in handle.iter_events(with_logs=True)]
    return {"last": names[-1], "text": (await handle.get())["text"]}


if __name__ == "__main__":
    print(json.dumps({"sync": sync(), "async": asyncio.run(other())}))
