"""Broker, clock and tasks: what is agreed between the part that sends and the part that works."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import KombuError

from dashboard.celery import SWEEP_EVERY_S, app, broker_options
from requests_app import announce, tasks
from requests_app.models import Heartbeat
from requests_app.worker import clock
from requests_app.worker.loop import worker_loop


def test_every_task_that_is_sent_by_name_exists() -> None:
    app.loader.import_default_modules()
    sent = {announce.ADVANCE_TASK, *(entry["task"] for entry in app.conf.beat_schedule.values())}
    assert sent <= set(app.tasks)
    assert tasks.advance.name == announce.ADVANCE_TASK


def test_the_clock_sweeps_every_second_and_stale_ticks_expire() -> None:
    entry = app.conf.beat_schedule["sweep"]
    assert (entry["task"], entry["schedule"]) == (tasks.sweep.name, SWEEP_EVERY_S)
    assert entry["options"]["expires"] <= 10 * SWEEP_EVERY_S


def test_no_tick_expires_before_the_next_one_comes() -> None:
    for entry in app.conf.beat_schedule.values():
        assert entry["schedule"] <= entry["options"]["expires"]


def test_only_json_is_taken_from_the_broker() -> None:
    """A pickle from a broker somebody else can write to would be code."""
    assert list(app.conf.accept_content) == ["json"]
    assert app.conf.task_serializer == "json"


def test_without_redis_no_broker_is_needed() -> None:
    assert app.conf.broker_url == "memory://localhost/"


def fail_to_hint(port: int) -> None:
    """Send a hint to a broker that cannot take it."""
    url = f"redis://127.0.0.1:{port}/0"
    with Celery("away", broker=url, set_as_current=False) as away:
        away.conf.broker_transport_options = broker_options(url)
        with pytest.raises(KombuError):
            away.send_task(announce.ADVANCE_TASK, args=[1], retry=False, ignore_result=True)


def test_a_redis_that_hangs_up_is_called_once() -> None:
    """Kombu would try for six seconds, in the middle of a user's submit."""
    calls = 0

    def hang_up() -> None:
        nonlocal calls
        with suppress(OSError):  # the door was closed
            while True:
                door.accept()[0].close()
                calls += 1

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=hang_up)
        thread.start()
        fail_to_hint(door.getsockname()[1])
        door.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert calls == 1


@pytest.mark.slow
def test_a_redis_that_says_nothing_is_not_waited_for() -> None:
    """Kombu would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fail_to_hint(silent.getsockname()[1])


def test_work_is_published_once_with_the_rows_key() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare(app.conf.task_default_queue)
        connection.default_channel.queue_purge(app.conf.task_default_queue)
        announce._publish(announce.ADVANCE_TASK, 42)
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        message = queue.get(timeout=30)
        assert message.headers["task"] == announce.ADVANCE_TASK
        assert json.loads(message.body)[0] == [42]
        message.ack()
        assert queue.qsize() == 0
        queue.close()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_task_sweeps() -> None:
    tasks.sweep()
    worker_loop.stop()
    assert Heartbeat.objects.filter(part="sweep").exists()


def test_a_tick_from_the_broker_keeps_the_workers_own_clock_idle(
    monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(clock.Clock, "note_tick", lambda _: heard.append("tick"))
    tasks.sweep()
    worker_loop.stop()
    assert heard == ["tick"]


def test_the_tasks_hand_over_and_do_nothing_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[Any] = []
    monkeypatch.setattr(worker_loop, "spawn", spawned.append)
    tasks.advance(7)
    [coroutine] = spawned
    assert coroutine.cr_frame.f_locals["request"] == 7
    coroutine.close()
