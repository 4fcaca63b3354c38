"""One sandbox for all its tests, plain HTTP towards it, and nothing of the project in between."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from requests_app.sandbox import SandboxServer, Tuning
from tests.sandbox.calls import KEY

FAST = Tuning(
    log_window_s=300,
    ping_s=0.15,
    realtime_idle_s=0.4,
    retry_gap_s=0.02,
    webhook_scale=0.02,
    pace=0.01,
    capacity={"sandbox/patient": 1},
)


@pytest.fixture(scope="session")
def running() -> Iterator[SandboxServer]:
    with SandboxServer(keys={"sandbox:sandbox", "other:other"}, tuning=FAST) as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> Iterator[SandboxServer]:
    running.faults.clear()
    yield running
    running.faults.clear()


@pytest.fixture(scope="session")
def client(running: SandboxServer) -> Iterator[httpx.Client]:
    # One for all: making a client costs more (certificates) than most of the tests.
    with httpx.Client(base_url=running.url, headers=KEY, timeout=30) as client:
        yield client


@pytest.fixture
def http(sandbox: SandboxServer, client: httpx.Client) -> httpx.Client:
    return client
