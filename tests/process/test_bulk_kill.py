"""kill -9 while a bulk action runs requests again: it goes on after the restart, and runs none of them twice."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from requests_app.sandbox import SandboxServer
from tests.process.serving import Serving
from tests.process.test_batch_kill import settled
from tests.process.test_kill import Caller, fal, serving, token  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.process, pytest.mark.timeout(400)]

ROWS, KILLS = 120, 2


@pytest.mark.long
def test_a_bulk_action_survives_kills_and_runs_no_request_twice(
    serving: Serving,  # noqa: F811
    token: str,  # noqa: F811
    fal: SandboxServer,  # noqa: F811
) -> None:
    with Caller(serving, token) as caller:
        sources = ended_requests(caller)
        made = caller.client.post(
            "bulk/", json={"verb": "again", "q": "status:completed", "expected": ROWS}
        )
        assert made.status_code == 201, made.text
        path = f"bulk/{made.json()['id']}/"
        shown = {"waiting": ROWS}
        for _ in range(KILLS):
            shown = moved(caller, path, shown["waiting"])
            serving.kill()  # some requests are acted on, and it is at others
            serving.start()
        while shown["state"] != "finished":
            shown = moved(caller, path, shown["waiting"])
        runs = Counter(again_of(caller))
    assert (shown["total"], shown["waiting"]) == (ROWS, 0)
    assert runs == dict.fromkeys(sources, 1)  # one request for each, whenever it was killed
    # The first run and the second, with the same input; fal takes no third.
    assert max(Counter(entry.body_sha256 for entry in fal.ledger).values()) == 2


def ended_requests(caller: Caller) -> set[str]:
    """Ids of requests that have completed, each with an input of its own."""
    body = {
        "endpoint_id": "sandbox/echo",
        "input": {"message": "row {{n}}", "number": "{{n}}"},
        "rows": [{"n": number} for number in range(ROWS)],
        "start": True,
    }
    made = caller.client.post("batches/", json=body)
    assert made.status_code == 201, made.text
    settled(caller, f"batches/{made.json()['id']}/")
    statuses = caller.statuses()
    assert Counter(statuses.values()) == {"completed": ROWS}
    return set(statuses)


def moved(caller: Caller, path: str, waiting: int, seconds: float = 150) -> dict[str, Any]:
    """The action as soon as fewer requests wait than that, or it has finished."""
    end = time.monotonic() + seconds
    while True:
        shown: dict[str, Any] = caller.client.get(path).raise_for_status().json()
        if shown["waiting"] < waiting or shown["state"] == "finished":
            return shown
        assert time.monotonic() < end, shown
        time.sleep(0.02)


def again_of(caller: Caller) -> list[str]:
    """For each run of an earlier request the id of that."""
    found: list[str] = []
    cursor = None
    while True:
        parameters = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = caller.client.get("requests/", params=parameters).raise_for_status().json()
        found += [item["again_of"] for item in page["items"] if item["again_of"]]
        if not (cursor := page["next_cursor"]):
            return found
