"""Health checks of the parts of an installation: each returns an empty text or what is wrong."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from requests_app.copies.rules import copy_counts
from requests_app.models import FalRequest, Heartbeat
from requests_app.upkeep import clock_skew

TIMEOUT_S = 2.0
CACHED_S = 10.0
HEARTBEAT_MAX_AGE = timedelta(seconds=15)

Probe = Callable[[], str]  # returns what is wrong; empty when healthy


# Shown, but about single requests: no reason to call this process unready.
TOLD_ALONE = frozenset({"requests", "copies"})


def examine() -> dict[str, str]:
    """Return each part with its problem or an empty text; `requests` and `copies` only when they have one."""
    told = {name: probe() for name, probe in _PARTS.items()}
    return {name: why for name, why in told.items() if why or name not in TOLD_ALONE}


def database() -> str:
    """Check that the database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return ""


def requests() -> str:
    """Report requests whose steps keep failing, which is no reason to restart a process."""
    try:
        failing = FalRequest.objects.failing().count()
    except DatabaseError:
        return ""  # reported by the part "database"
    if not failing:
        return ""
    which = "1 request" if failing == 1 else f"{failing} requests"
    return f"{which} cannot go on: three or more steps in a row failed. Each timeline says why."


def copies() -> str:
    """Report copies of media that failed within a day, and how many wait."""
    try:
        waiting, failed = copy_counts(timezone.now())
    except DatabaseError:
        return ""  # reported by the part "database"
    if not failed:
        return ""
    which = "1 medium" if failed == 1 else f"{failed} media"
    return f"{which} could not be copied within the last day; {waiting} wait. The requests say why."


def worker() -> str:
    """Check that a worker sweeps: without one nothing is sent or polled."""
    try:
        beat = Heartbeat.objects.filter(part="sweep").first()
    except DatabaseError:
        return "Not known while the database does not answer."
    if beat is None:
        return "No worker has started yet."
    age = timezone.now() - beat.at
    if age > HEARTBEAT_MAX_AGE:
        return f"The last sign of life was {int(age.total_seconds())} seconds ago."
    return ""


class Cached:
    """A probe that runs at most every `CACHED_S` seconds, by one caller at a time."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._answer = ""
        self._until = 0.0

    def __call__(self) -> str:
        """Return the probe's answer, which may be a few seconds old."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._answer = self._probe()
                self._until = time.monotonic() + CACHED_S
            return self._answer

    def forget(self) -> None:
        """Drop the cached answer."""
        self._until = 0.0


def _ask_broker() -> str:
    if not settings.REDIS_URL:
        return ""  # messages stay in this process's memory
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError):
        return "Redis does not answer."
    return ""


def _upstream() -> tuple[str, str]:
    """Return the name and address of the upstream to check.

    Without a key the queue is unusable, and only a local app at FAL_RUN_URL works.
    """
    if settings.FAL_KEY:
        return "fal's queue", settings.FAL_QUEUE_URL
    return "The app at FAL_RUN_URL", settings.FAL_RUN_URL


def _ask_upstream() -> str:
    """Check that a TCP connection opens: a call would need the key, and a bad key needs no restart."""
    what, address = _upstream()
    url = urlsplit(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.hostname or "", port), TIMEOUT_S).close()
    except OSError:
        return f"{what} cannot be reached."
    return ""


def _ask_clock() -> str:
    return clock_skew.ask(_upstream()[1])


broker = Cached(_ask_broker)
upstream = Cached(_ask_upstream)
clock = Cached(_ask_clock)
_PARTS: dict[str, Probe] = {
    "database": database,
    "broker": broker,
    "worker": worker,
    "upstream": upstream,
    "clock": clock,
    "requests": requests,
    "copies": copies,
}
