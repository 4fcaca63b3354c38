"""The whole product beside a real ``fal.App``: started with its address and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fal_app.serving import ENDPOINT_ID, FalApp
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = [pytest.mark.fal, pytest.mark.process]

ENDED = {"completed", "failed", "cancelled"}
UNREACHED = "http://127.0.0.1:1"  # instead of fal's own hosts: tests stay on this machine


@pytest.fixture
def alone(tmp_path: Path, fal_app: FalApp) -> Iterator[Serving]:
    """No key, no sandbox."""
    with Serving(tmp_path, FAL_RUN_URL=fal_app.url, FAL_QUEUE_URL=UNREACHED) as serving:
        yield serving


@pytest.fixture
def beside_the_sandbox(tmp_path: Path, fal_app: FalApp) -> Iterator[Serving]:
    """Runs go to the app, queued requests to the sandbox."""
    port = str(free_port())
    environment = {"FAL_RUN_URL": fal_app.url, "SANDBOX": "1", "SANDBOX_PORT": port}
    with Serving(tmp_path, **environment) as serving:
        yield serving


def caller(serving: Serving) -> httpx.Client:
    """A program with a token of its own."""
    serving.manage(
        "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
        DJANGO_SUPERUSER_PASSWORD="a long pass phrase",
    )  # fmt: skip
    serving.manage("create_team", "Acme", "--owner", "ada")
    token = serving.manage("create_token", "--user", "ada", "--team", "Acme")
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{serving.url}/api/v1/", headers=headers, timeout=30)


def outcome(client: httpx.Client, seconds: float = 20, **body: Any) -> dict[str, Any]:
    """The request as the API shows it once it has ended."""
    made = client.post("requests/", json=body)
    assert made.status_code == 201, made.text
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        row: dict[str, Any] = client.get(f"requests/{made.json()['id']}/").json()
        if row["status"] in ENDED:
            return row
        time.sleep(0.1)
    raise AssertionError(f"still {row['status']} after {seconds} s")


def ready(serving: Serving, seconds: float = 10) -> dict[str, Any]:
    """What it says of its parts; the worker needs a moment to show itself."""
    end = time.monotonic() + seconds
    while True:
        parts: dict[str, Any] = httpx.get(f"{serving.url}/readyz").json()
        if parts["ready"] or time.monotonic() > end:
            return parts
        time.sleep(0.2)


def test_with_the_apps_address_alone_it_starts_is_ready_and_runs(alone: Serving) -> None:
    assert "faldeck.W011" in alone.log.read_text()
    assert ready(alone)["ready"], ready(alone)
    with caller(alone) as client:
        row = outcome(client, endpoint_id=ENDPOINT_ID, mode="run", input={"prompt": "a lake"})
        assert row["status"] == "completed", row
        told = outcome(client, endpoint_id=ENDPOINT_ID, mode="stream", input={"is_marked": True})
        assert told["status"] == "completed", told


def test_the_sandbox_keeps_its_queue_beside_the_app(beside_the_sandbox: Serving) -> None:
    with caller(beside_the_sandbox) as client:
        run = outcome(client, endpoint_id=ENDPOINT_ID, mode="run", input={"prompt": "a lake"})
        queued = outcome(client, endpoint_id="sandbox/echo", mode="queue", input={"a": 1})
    assert (run["status"], queued["status"]) == ("completed", "completed")
