"""kill -9 while a batch is fed: it goes on after the restart, and no row is submitted twice."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from requests_app.sandbox import SandboxServer
from tests.process.serving import Serving
from tests.process.test_kill import Caller, fal, serving, token  # noqa: F401  (fixtures)
from tests.sampling import count

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

KILLS = count("KILLS", 3) or 1
ROWS = 50 * KILLS


@pytest.mark.long
def test_a_batch_survives_kills_and_submits_no_row_twice(
    serving: Serving,  # noqa: F811
    token: str,  # noqa: F811
    fal: SandboxServer,  # noqa: F811
) -> None:
    with Caller(serving, token) as caller:
        made = caller.client.post(
            "batches/",
            json={
                "endpoint_id": "sandbox/echo",
                "input": {"message": "row {{n}}", "number": "{{n}}", "delay_s": 0.2},
                "rows": [{"n": number} for number in range(ROWS)],
                "concurrency": 25,
                "start": True,
            },
        )
        assert made.status_code == 201, made.text
        path = f"batches/{made.json()['id']}/"
        for pause in (1.2, 2.1, 0.9)[:KILLS]:
            time.sleep(pause)
            serving.kill()
            serving.start()
        shown = settled(caller, path)
        items = caller.client.get(f"{path}items/?limit=1000").json()["items"]
        statuses = caller.statuses()
    bodies = Counter(entry.body_sha256 for entry in fal.ledger)
    assert max(bodies.values()) == 1
    # Killed between the claim and the first byte: what became of it is unknown, so no program sends it again.
    uncertain = sum(status == "uncertain" for status in statuses.values())
    assert len(bodies) + uncertain >= ROWS
    assert (shown["completed"] + uncertain, shown["failed"], shown["waiting"]) == (ROWS, 0, 0)
    assert len(statuses) == ROWS  # one request for each row
    assert len({item["request_id"] for item in items}) == ROWS


def settled(caller: Caller, path: str, seconds: float = 150) -> dict[str, Any]:
    """The batch once nothing moves: uncertain requests keep their places until a user decides."""
    end = time.monotonic() + seconds
    while True:
        shown: dict[str, Any] = caller.client.get(path).raise_for_status().json()
        open_ones = caller.client.get(f"{path}items/?state=open&limit=1000").json()["items"]
        is_still = all(item["status"] == "uncertain" for item in open_ones)
        if not shown["waiting"] and shown["open"] == len(open_ones) and is_still:
            return shown
        assert time.monotonic() < end, shown
        time.sleep(0.5)
