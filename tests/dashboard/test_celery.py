"""Broker, clock and tasks: what is agreed between the part that sends and the part that works."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import httpx
import pytest
from celery import Celery, signals
from django.contrib.auth.models import User
from kombu.exceptions import KombuError

from dashboard.celery import SWEEP_EVERY_S, app, broker_options, keep_own_time, show_figures
from requests_app import announce, tasks
from requests_app.models import FalRequest, Heartbeat, Team
from requests_app.worker import clock
from requests_app.worker.loop import watch_loop
from tests.builders import make_queued


def test_every_task_that_is_sent_by_name_exists() -> None:
    app.loader.import_default_modules()
    sent = {announce.ADVANCE_TASK, *(entry["task"] for entry in app.conf.beat_schedule.values())}
    assert sent <= set(app.tasks)
    assert tasks.advance.name == announce.ADVANCE_TASK


def test_the_clock_sweeps_every_second_and_stale_ticks_expire() -> None:
    entry = app.conf.beat_schedule["sweep"]
    assert (entry["task"], entry["schedule"]) == (tasks.sweep.name, SWEEP_EVERY_S)
    assert entry["options"]["expires"] <= 10 * SWEEP_EVERY_S


def test_only_json_is_taken_from_the_broker() -> None:
    """A pickle from a broker somebody else can write to would be code."""
    assert list(app.conf.accept_content) == ["json"]
    assert app.conf.task_serializer == "json"


def test_without_redis_no_broker_is_needed() -> None:
    assert app.conf.broker_url == "memory://localhost/"


def seconds_of_a_hint(port: int) -> float:
    """How long a caller is held up by a broker that cannot take its hint."""
    url = f"redis://127.0.0.1:{port}/0"
    with Celery("away", broker=url, set_as_current=False) as away:
        away.conf.broker_transport_options = broker_options(url)
        began = time.monotonic()
        with pytest.raises(KombuError):
            away.send_task(announce.ADVANCE_TASK, args=[1], retry=False, ignore_result=True)
    return time.monotonic() - began


def test_a_redis_that_refuses_holds_up_nobody() -> None:
    """Kombu would try for six seconds, in the middle of somebody's submit."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # nobody listens there once this is closed
    assert seconds_of_a_hint(port) < 1


def test_a_redis_that_says_nothing_holds_up_nobody_for_long() -> None:
    """Kombu would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert seconds_of_a_hint(silent.getsockname()[1]) < 3


def test_work_is_published_once_with_the_rows_key() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare(app.conf.task_default_queue)
        connection.default_channel.queue_purge(app.conf.task_default_queue)
        announce._publish(42)
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        message = queue.get(timeout=2)
        assert message.headers["task"] == announce.ADVANCE_TASK
        assert json.loads(message.body)[0] == [42]
        message.ack()
        assert queue.qsize() == 0
        queue.close()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_task_sweeps() -> None:
    tasks.sweep()
    watch_loop.stop()
    assert Heartbeat.objects.filter(part="sweep").exists()


@pytest.mark.parametrize(("redis_url", "starts"), [("redis://127.0.0.1:1/0", True), ("", False)])
def test_a_worker_of_its_own_keeps_time_before_it_has_reached_the_broker(
    redis_url: str, starts: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = clock.Clock()
    monkeypatch.setattr(clock, "clock", own)
    settings.REDIS_URL = redis_url
    keep_own_time()
    assert any(thread.name == "clock" for thread in threading.enumerate()) is starts
    signals.worker_shutdown.send(sender=None)
    assert not any(thread.name == "clock" for thread in threading.enumerate())


def test_a_tick_from_the_broker_keeps_the_workers_own_clock_idle(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(clock.Clock, "heard", lambda _: heard.append("tick"))
    tasks.sweep()
    watch_loop.stop()
    assert heard == ["tick"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_looks_at_every_live_row_at_once(team: Team, owner: User) -> None:
    row = make_queued(team=team, person=owner)
    before = FalRequest.objects.get(pk=row.pk).due_at
    signals.worker_ready.send(sender=None)
    after = FalRequest.objects.get(pk=row.pk).due_at
    assert before and after and after < before


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_drains_the_watch_loop() -> None:
    done = threading.Event()

    async def short() -> None:
        done.set()

    watch_loop.spawn(short())
    signals.worker_shutdown.send(sender=None)
    assert done.wait(2)
    assert not any(thread.name == "watch" for thread in threading.enumerate())


def test_the_tasks_hand_over_and_do_nothing_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[Any] = []
    monkeypatch.setattr(watch_loop, "spawn", spawned.append)
    tasks.advance(7)
    [coroutine] = spawned
    assert coroutine.cr_frame.f_locals["pk"] == 7
    coroutine.close()


def test_a_worker_of_its_own_shows_its_figures_on_this_machine(
    settings: Any, transactional_db: None
) -> None:
    """Real HTTP on a real port, which only `METRICS_PORT` opens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings.REDIS_URL, settings.METRICS_PORT = "redis://127.0.0.1:1/0", 0
    assert show_figures() is None
    settings.METRICS_PORT = port
    shown = show_figures()
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
