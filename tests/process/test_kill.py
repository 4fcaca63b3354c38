"""kill -9 at any moment, then a restart: every request reaches its end, none is sent twice."""

from __future__ import annotations

import collections
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from requests_app.sandbox import SandboxServer, Tuning
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
        FAL_JWKS_URL=f"{fal.url}/rest/.well-known/jwks.json",
    )
    installation.environment["PUBLIC_URL"] = installation.url
    with installation:
        yield installation


@pytest.fixture
def token(serving: Serving) -> str:
    serving.manage(
        "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
        DJANGO_SUPERUSER_PASSWORD="a long pass phrase",
    )  # fmt: skip
    serving.manage("create_team", "Acme", "--owner", "ada")
    return serving.manage("create_token", "--user", "ada", "--team", "Acme")


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
        body = {
            "endpoint_id": "sandbox/slow",
            "input": {"prompt": f"number {number}", "steps": 2, "seconds_per_step": 0.02},
        }
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


def test_200_requests_survive_kills_and_none_is_submitted_twice(
    serving: Serving, token: str, fal: SandboxServer
) -> None:
    with Caller(serving, token) as caller, ThreadPoolExecutor(8) as pool:
        submitting = [pool.submit(caller.submit, number) for number in range(REQUESTS)]
        for pause in (1.0, 1.5, 0.7):
            time.sleep(pause)
            serving.kill()
            serving.start()
        ids = {future.result() for future in submitting}
        statuses = _settled(caller)
    assert len(ids) == REQUESTS
    assert statuses.keys() == ids
    assert collections.Counter(statuses.values()) == {"completed": REQUESTS}
    assert _most_submits_of_one_request(fal) == 1
    assert len(fal.ledger) == REQUESTS
    assert _integrity(serving) == "ok"


def _settled(caller: Caller, seconds: float = 90) -> dict[str, str]:
    end = time.monotonic() + seconds
    live = {"pending", "submitting", "uncertain", "in_queue", "in_progress"}
    while time.monotonic() < end:
        statuses = caller.statuses()
        if not live & set(statuses.values()):
            return statuses
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
