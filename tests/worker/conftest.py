"""The worker loop works on its own threads: rows must be committed for it to see them."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import FalRequest, Team
from requests_app.worker.loop import pool, worker_loop
from requests_app.worker.steps import advance
from requests_app.worker.sweep import sweep
from tests.builders import fresh, make_queued
from tests.fal.peer import Peer


@pytest.fixture
def loop() -> Iterator[Any]:
    """The process's worker loop, stopped afterwards so that no step outlives its test."""
    yield worker_loop
    worker_loop.stop(drain_s=2)


@pytest.fixture
def until(loop: Any) -> Callable[..., FalRequest]:
    """Sweep as the clock would, until the row is as wanted."""

    def wait(
        row: FalRequest, wanted: Callable[[FalRequest], bool], seconds: float = 30
    ) -> FalRequest:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            loop.run(sweep())
            now = FalRequest.objects.get(pk=row.pk)
            if wanted(now):
                return now
            time.sleep(0.05)
        raise AssertionError(f"still {now!r} after {seconds} s: {list(now.observations.all())}")

    return wait


def ended(row: FalRequest) -> bool:
    """For `until`."""
    return row.is_ended


def submits(sandbox: Any, row: FalRequest) -> int:
    """How many submits fal took with this row's input."""
    body = hashlib.sha256(row.input_text.encode()).hexdigest()
    return sum(entry.body_sha256 == body for entry in sandbox.ledger)


class PeerThread(Peer):
    """The scripted peer on a loop of its own, so that it outlives the worker loop."""

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Have the peer's loop do it."""
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def release(self, event: asyncio.Event) -> None:
        """Set an event that a step of the script waits for."""
        self.loop.call_soon_threadsafe(event.set)


@pytest.fixture
def peer(settings: Any) -> Iterator[PeerThread]:
    """Instead of fal: a peer that answers as the test tells it."""
    peer = PeerThread()
    peer.loop = asyncio.new_event_loop()
    thread = threading.Thread(target=peer.loop.run_forever, daemon=True)
    thread.start()
    peer.run(peer.start())
    settings.FAL_QUEUE_URL, settings.FAL_RUN_URL = f"{peer.url}/queue", f"{peer.url}/run"
    settings.FAL_API_URL = "http://127.0.0.1:1"  # only who wants the list asked lets it be found
    settings.FAL_KEY, settings.PUBLIC_URL = "id:secret", ""
    yield peer
    peer.run(peer.stop())
    peer.run(asyncio.sleep(0))
    peer.loop.call_soon_threadsafe(peer.loop.stop)
    thread.join(30)
    peer.loop.close()


def at_peer(peer: Peer, row: FalRequest) -> FalRequest:
    """The queued row's URLs lead to the peer, and it is due."""
    base = f"{peer.url}/queue/acme/img/requests/{row.fal_request_id}"
    FalRequest.objects.filter(pk=row.pk).update(
        status_url=f"{base}/status", response_url=base, cancel_url=f"{base}/cancel",
        due_at=timezone.now(),
    )  # fmt: skip
    return fresh(row)


@contextmanager
def busy_database() -> Iterator[threading.Event]:
    """The loop's database threads are all busy until the event is set (or the block ends)."""
    release = threading.Event()
    for _ in range(pool.size):
        pool.executor.submit(release.wait, 30)
    try:
        yield release
    finally:
        release.set()


def wait_for(wanted: Callable[[], Any], seconds: float = 30) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@pytest.fixture
def queued(peer: PeerThread, team: Team, owner: User) -> FalRequest:
    """A row in the peer's queue."""
    return at_peer(peer, make_queued(team=team, person=owner))


def look(loop: Any, row: FalRequest) -> FalRequest:
    """One look, due now."""
    FalRequest.objects.filter(pk=row.pk).update(due_at=timezone.now())
    loop.run(advance(row.pk), timeout_s=20)
    return fresh(row)
