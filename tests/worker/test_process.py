"""A worker process starts and stops with what it needs."""

from __future__ import annotations

import socket
import threading
from typing import Any

import httpx
import pytest
from celery import signals
from django.contrib.auth.models import User

from requests_app.models import FalRequest, Team
from requests_app.worker import process
from requests_app.worker.clock import Clock
from requests_app.worker.loop import worker_loop
from requests_app.worker.process import serve_metrics, start_clock
from tests.builders import make_queued


@pytest.mark.parametrize(("redis_url", "starts"), [("redis://127.0.0.1:1/0", True), ("", False)])
def test_a_worker_of_its_own_keeps_time_before_it_has_reached_the_broker(
    redis_url: str, starts: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Clock()
    monkeypatch.setattr(process, "clock", own)
    settings.REDIS_URL = redis_url
    start_clock()
    assert any(thread.name == "clock" for thread in threading.enumerate()) is starts
    signals.worker_shutdown.send(sender=None)
    assert not any(thread.name == "clock" for thread in threading.enumerate())


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_looks_at_every_live_row_at_once(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    before = FalRequest.objects.get(pk=row.pk).due_at
    signals.worker_ready.send(sender=None)
    after = FalRequest.objects.get(pk=row.pk).due_at
    assert before and after and after < before


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_drains_the_worker_loop() -> None:
    done = threading.Event()

    async def short() -> None:
        done.set()

    worker_loop.spawn(short())
    signals.worker_shutdown.send(sender=None)
    assert done.wait(2)
    assert not any(thread.name == "worker-loop" for thread in threading.enumerate())


@pytest.mark.slow
def test_a_worker_of_its_own_shows_its_figures_on_this_machine(
    settings: Any, transactional_db: None
) -> None:
    """Real HTTP on a real port, which only `METRICS_PORT` opens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings.REDIS_URL, settings.METRICS_PORT = "redis://127.0.0.1:1/0", 0
    assert serve_metrics() is None
    settings.METRICS_PORT = port
    shown = serve_metrics()
    assert shown is not None
    server, thread = shown
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
        assert server.server_address[0] == "127.0.0.1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert 'faldeck_requests{status="pending"} 0.0' in text
