"""A wrong clock is told: by /readyz, and once by the log. The peer's Date header is what is off."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from requests_app.models import Heartbeat
from requests_app.tasks import look_at_clock
from requests_app.upkeep import health
from requests_app.upkeep.clock_skew import Alarm, ask, sentence
from tests.jsonserver import JsonHandler


class Fal:
    """A queue that tells a time of its own to whoever asks for anything."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self.date: str | None = None
        self.more: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def _handler(fal) -> type[JsonHandler]:
        class Handler(JsonHandler):
            def date_time_string(self, timestamp: float | None = None) -> str:
                right = format_datetime(datetime.now(UTC) + fal.ahead, usegmt=True)
                return right if fal.date is None else fal.date

            def do_HEAD(self) -> None:
                fal.asked.append(dict(self.headers))
                self.send_response(404)
                for header in fal.more.items():
                    self.send_header(*header)
                self.end_headers()

        return Handler


@pytest.fixture
def fal(settings: Any) -> Iterator[Fal]:
    one = Fal()
    settings.FAL_KEY = "id:secret"
    settings.FAL_QUEUE_URL = one.url
    for probe in (health.clock, health.upstream):
        probe.forget()
    yield one
    one.server.shutdown()
    one.server.server_close()
    for probe in (health.clock, health.upstream):
        probe.forget()


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        (60, ""),
        (-60, ""),
        (61, "This machine's clock is 61 seconds ahead of fal's."),
        (-600, "This machine's clock is 600 seconds behind fal's."),
    ],
)
def test_a_minute_is_tolerated_either_way(ahead_s: int, said: str) -> None:
    assert sentence(timedelta(seconds=ahead_s)) == said


@pytest.mark.parametrize(("minutes", "way"), [(10, "behind"), (-10, "ahead of")])
def test_fals_own_time_tells(fal: Fal, minutes: int, way: str) -> None:
    assert ask(fal.url) == ""
    fal.ahead = timedelta(minutes=minutes)
    assert way in ask(fal.url)


def test_the_key_is_not_sent(fal: Fal) -> None:
    ask(fal.url)
    assert not [name for name in fal.asked[0] if name.lower() == "authorization"]


def test_nobody_is_accused_without_evidence(fal: Fal) -> None:
    fal.ahead = timedelta(hours=5)
    fal.more = {"Age": "18000"}  # a cache's copy
    assert ask(fal.url) == ""
    fal.more = {}
    huge = "Sat, 28 Nov 2026 99999999999999999999:00:00 GMT"
    for nonsense in ("", "yesterday", "Sat, 99 Nov 2026 25:61:00 GMT", huge):
        fal.date = nonsense
        assert ask(fal.url) == ""
    assert ask("http://127.0.0.1:9") == ""


@pytest.mark.django_db
def test_readiness_tells_within_moments(fal: Fal, settings: Any) -> None:
    settings.REDIS_URL = ""
    Heartbeat.objects.create(part="sweep", at=timezone.now())
    assert Client().get("/readyz").status_code == 200
    fal.ahead = timedelta(minutes=10)
    health.clock.forget()  # as after some seconds
    told = Client().get("/readyz")
    assert told.status_code == 503
    assert "behind fal's" in told.json()["parts"]["clock"]["why"]


def test_the_log_tells_once_and_once_again_when_it_is_right(
    fal: Fal, caplog: pytest.LogCaptureFixture
) -> None:
    alarm = Alarm()
    for minutes in (0, 10, 10, 0, 0):
        fal.ahead = timedelta(minutes=minutes)
        alarm.look(ask(fal.url))
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "seconds behind fal's" in said[0]
    assert "again" in said[1]


def test_the_clock_of_the_process_has_it_looked_at(
    fal: Fal, caplog: pytest.LogCaptureFixture
) -> None:
    fal.ahead = timedelta(minutes=-10)
    look_at_clock()
    health.clock.forget()
    fal.ahead = timedelta(0)
    look_at_clock()
    assert "seconds ahead of fal's" in caplog.text
