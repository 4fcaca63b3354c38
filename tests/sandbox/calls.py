"""The calls that nearly every test of the sandbox makes, and waiting without sleeping blindly."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

KEY = {"Authorization": "Key sandbox:sandbox"}
STRANGER = {"Authorization": "Key other:other"}


def wait_for(check: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true answer; fails loudly when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def held(endpoint_id: str) -> dict[str, Any]:
    """The rule that lets no queued request of the endpoint end until it is cleared."""
    return {"when": "end", "do": "hold", "endpoint": endpoint_id, "times": None}


def submit(http: httpx.Client, endpoint_id: str, /, *, params=None, headers=None, **given) -> dict:
    reply = http.post(f"/queue/{endpoint_id}", json=given, params=params, headers=headers)
    assert reply.status_code == 200, reply.text
    return reply.json()


def status(http: httpx.Client, receipt: dict, *, logs: str = "0") -> dict:
    return http.get(receipt["status_url"], params={"logs": logs}).json()


def until(http: httpx.Client, receipt: dict, word: str) -> dict:
    """The status object when the request has reached that status."""

    def look() -> dict | None:
        seen = status(http, receipt, logs="1")
        return seen if seen["status"] == word else None

    return wait_for(look)


def ended(http: httpx.Client, receipt: dict) -> dict:
    return until(http, receipt, "COMPLETED")
