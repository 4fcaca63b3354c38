from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from requests_app.models import Heartbeat
from requests_app.upkeep import health
from tests.redisserver import RedisServer


class Listener:
    """A host that takes connections and counts them."""

    def __init__(self) -> None:
        self.taken = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.taken += 1
            client.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()


@pytest.fixture
def fal(settings: Any) -> Iterator[Listener]:
    listener = Listener()
    settings.FAL_QUEUE_URL = f"http://127.0.0.1:{listener.port}/queue"
    settings.REDIS_URL = ""
    forget()
    yield listener
    forget()
    listener.close()


@pytest.fixture
def alive(fal: Listener, db: None) -> None:
    Heartbeat.objects.create(part="sweep", at=timezone.now())


def forget() -> None:
    health.upstream.forget()
    health.broker.forget()
    health.clock.forget()


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def parts_of(status: int) -> dict[str, dict[str, Any]]:
    response = Client().get("/readyz")
    assert response.status_code == status
    assert response.json()["ready"] == (status == 200)
    return dict(response.json()["parts"])


def not_fine(status: int = 503) -> dict[str, str]:
    return {name: part["why"] for name, part in parts_of(status).items() if not part["ok"]}


def test_it_lives_without_a_database() -> None:
    with connection.execute_wrapper(away):
        response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (
        200,
        {"status": "ok", "version": settings.VERSION},
    )
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_is_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.usefixtures("alive")
def test_it_is_ready_when_every_part_is_fine() -> None:
    assert set(parts_of(200)) == {"database", "broker", "worker", "upstream", "clock"}
    assert not_fine(200) == {}


@pytest.mark.usefixtures("alive")
def test_it_says_that_the_database_is_away() -> None:
    with connection.execute_wrapper(away):
        assert set(not_fine()) == {"database", "worker"}


def away(*args: object) -> None:
    raise OperationalError("server at 10.0.0.7 closed the connection, password=hunter2")


@pytest.mark.usefixtures("alive")
def test_it_tells_nothing_about_the_inside() -> None:
    with connection.execute_wrapper(away):
        text = Client().get("/readyz").text
    assert "10.0.0.7" not in text
    assert "hunter2" not in text


@pytest.mark.usefixtures("fal", "db")
def test_it_says_that_no_worker_has_started() -> None:
    assert not_fine() == {"worker": "No worker has started yet."}


@pytest.mark.usefixtures("alive")
@pytest.mark.parametrize(("age", "status"), [(14, 200), (16, 503)])
def test_a_worker_must_have_shown_itself_within_15_seconds(age: int, status: int) -> None:
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=age))
    assert ("worker" in not_fine(status)) == (status == 503)


@pytest.mark.usefixtures("alive")
def test_it_says_that_fal_cannot_be_reached(settings: Any) -> None:
    settings.FAL_QUEUE_URL = f"http://127.0.0.1:{unused_port()}"
    assert not_fine() == {"upstream": "fal's queue cannot be reached."}


@pytest.mark.usefixtures("alive")
def test_without_a_key_the_app_of_ones_own_is_what_must_be_reached(
    settings: Any, fal: Listener
) -> None:
    settings.FAL_KEY = ""
    settings.FAL_RUN_URL = f"http://127.0.0.1:{fal.port}"
    settings.FAL_QUEUE_URL = f"http://127.0.0.1:{unused_port()}"
    assert not_fine(200) == {}
    forget()
    settings.FAL_RUN_URL = f"http://127.0.0.1:{unused_port()}"
    assert not_fine() == {"upstream": "The app at FAL_RUN_URL cannot be reached."}


@pytest.mark.usefixtures("alive")
def test_it_connects_to_fal_and_asks_for_the_time_once_in_ten_seconds(
    fal: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(health.time, "monotonic", lambda: now)
    for _ in range(5):
        parts_of(200)
    now += 9.9
    parts_of(200)
    assert wait_for(fal, 2) == 2
    now += 0.2
    parts_of(200)
    assert wait_for(fal, 4) == 4


def wait_for(fal: Listener, count: int) -> int:
    """The peer counts in its own thread."""
    for _ in range(200):
        if fal.taken >= count:
            break
        threading.Event().wait(0.01)
    return fal.taken


@pytest.mark.usefixtures("alive")
def test_it_says_that_redis_is_away(settings: Any) -> None:
    settings.REDIS_URL = f"redis://:hunter2@127.0.0.1:{unused_port()}/0"
    assert not_fine() == {"broker": "Redis does not answer."}


@pytest.mark.slow
@pytest.mark.usefixtures("alive")
def test_a_redis_that_takes_the_connection_and_says_nothing_is_not_waited_for(
    settings: Any,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        settings.REDIS_URL = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        assert "broker" in not_fine()


@pytest.mark.process
@pytest.mark.usefixtures("alive")
def test_a_redis_that_answers_is_fine(settings: Any) -> None:
    with RedisServer() as server:
        settings.REDIS_URL = server.url
        assert not_fine(200) == {}


def test_a_request_that_fails_is_told_and_takes_no_process_away(
    alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(health._PARTS, "requests", lambda: "1 request cannot be looked at.")
    assert parts_of(200)["requests"] == {"ok": False, "why": "1 request cannot be looked at."}
