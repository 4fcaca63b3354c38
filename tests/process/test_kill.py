"""kill -9 at any moment, then a restart: every request reaches its end, none is sent twice."""

from __future__ import annotations

import collections
import hashlib
import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from requests_app.sandbox import SandboxServer, Tuning
from tests.benchmarks.latency import make_member
from tests.process.serving import Serving

pytestmark = pytest.mark.process

REQUESTS = 200


@pytest.fixture
def fal() -> Iterator[SandboxServer]:
    """A fal that outlives our process, and repeats its webhooks quickly."""
    with SandboxServer(tuning=Tuning(webhook_scale=0.05)) as server:
        yield server


@pytest.fixture
def serving(tmp_path: Path, fal: SandboxServer) -> Iterator[Serving]:
    installation = Serving(
        tmp_path,
        FAL_KEY="sandbox:sandbox",
        FAL_RUN_URL=f"{fal.url}/run",
        FAL_QUEUE_URL=f"{fal.url}/queue",
        FAL_REST_URL=f"{fal.url}/rest",
        FAL_API_URL=f"{fal.url}/api",
        FAL_JWKS_URL=f"{fal.url}/rest/.well-known/jwks.json",
    )
    installation.environment["PUBLIC_URL"] = installation.url
    with installation:
        yield installation


@pytest.fixture
def token(serving: Serving) -> str:
    return make_member(serving)


class Caller:
    """A program that submits through the API, and repeats a call whose answer it did not get."""

    def __init__(self, serving: Serving, token: str) -> None:
        self.client = httpx.Client(
            base_url=f"{serving.url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: Any) -> None:
        self.client.close()

    def submit(self, number: int) -> str:
        """The public id. The idempotency key makes the repeated call harmless."""
        body = {"endpoint_id": "sandbox/slow", "input": _input(number)}
        for _ in range(200):
            try:
                reply = self.client.post(
                    "requests/", json=body, headers={"Idempotency-Key": f"call-{number}"}
                )
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            assert reply.status_code in (200, 201), reply.text
            public_id: str = reply.json()["id"]
            return public_id
        raise AssertionError("the API never answered")

    def statuses(self) -> dict[str, str]:
        """Public id -> status of all rows."""
        found: dict[str, str] = {}
        cursor = None
        while True:
            parameters = {"limit": 200} | ({"cursor": cursor} if cursor else {})
            page = self.client.get("requests/", params=parameters).raise_for_status().json()
            found |= {item["id"]: item["status"] for item in page["items"]}
            cursor = page["next_cursor"]
            if not cursor:
                return found


@pytest.mark.long
def test_200_open_requests_reach_their_end_after_kills(
    serving: Serving, token: str, fal: SandboxServer
) -> None:
    with Caller(serving, token) as caller:
        _submit_all(caller)
        _wait(lambda: not {"pending", "submitting"} & set(caller.statuses().values()))
        for pause in (0.2, 0.5):
            time.sleep(pause)
            serving.kill()
            serving.start()
        statuses = _settled(caller)
    assert collections.Counter(statuses.values()) == {"completed": REQUESTS}
    assert _most_submits_of_one_request(fal) == 1
    assert len(fal.ledger) == REQUESTS
    assert _integrity(serving) == "ok"


@pytest.mark.long
def test_kills_while_submitting_lose_nothing_and_submit_nothing_twice(
    serving: Serving, token: str, fal: SandboxServer
) -> None:
    with Caller(serving, token) as caller, ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(_submit_all, caller)
        for pause in (1.0, 1.5, 0.7):
            time.sleep(pause)
            serving.kill()
            serving.start()
        numbers = submitting.result()
        statuses = _settled(caller)
    assert statuses.keys() == numbers.keys()
    assert _most_submits_of_one_request(fal) == 1
    seen = {entry.body_sha256 for entry in fal.ledger}
    # Killed between the claim and the first byte: nobody can know, so no machine sends it again.
    unknown = {id for id, number in numbers.items() if _body_digest(number) not in seen}
    assert {id for id, status in statuses.items() if status == "uncertain"} == unknown
    assert {statuses[id] for id in numbers.keys() - unknown} == {"completed"}


def _submit_all(caller: Caller) -> dict[str, int]:
    """Public id -> number of all requests, submitted eight at a time."""
    with ThreadPoolExecutor(8) as pool:
        return {id: number for number, id in enumerate(pool.map(caller.submit, range(REQUESTS)))}


def _input(number: int) -> dict[str, Any]:
    return {"prompt": f"number {number}", "steps": 2, "seconds_per_step": 0.02}


def _body_digest(number: int) -> str:
    sent = json.dumps(_input(number), separators=(",", ":"))  # as httpx writes it
    return hashlib.sha256(sent.encode()).hexdigest()


def _wait(wanted: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def _settled(caller: Caller, seconds: float = 90) -> dict[str, str]:
    """Statuses once nothing moves any more: only a person could end an uncertain one."""
    end = time.monotonic() + seconds
    moving = {"pending", "submitting", "in_queue", "in_progress"}
    while moving & set((statuses := caller.statuses()).values()):
        assert time.monotonic() < end, statuses
        time.sleep(0.5)
    return statuses


def _most_submits_of_one_request(fal: SandboxServer) -> int:
    bodies = collections.Counter(entry.body_sha256 for entry in fal.ledger)
    return max(bodies.values())


def _integrity(serving: Serving) -> Any:
    database = Path(serving.environment["DATA_DIR"]) / "faldeck.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_asked(serving: Serving, token: str, how: signal.Signals) -> None:
    with Caller(serving, token) as caller:
        caller.submit(1)
    assert serving.stop(how) == 0
    assert "Traceback" not in serving.log.read_text()
