"""Does each part this installation needs answer? A part is fine, or a sentence says why not."""

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

from requests_app.models import FalRequest, Heartbeat
from requests_app.upkeep import clock_skew

TIMEOUT_S = 2.0
CACHED_S = 10.0
HEARTBEAT_MAX_AGE = timedelta(seconds=15)

Probe = Callable[[], str]  # why not; empty when fine


# What is told and is the matter of single requests, not of this process.
TOLD_ALONE = frozenset({"requests"})


def examine() -> dict[str, str]:
    """Every part and why it is not fine, or an empty text; of single requests only what is wrong."""
    told = {name: probe() for name, probe in _PARTS.items()}
    return {name: why for name, why in told.items() if why or name not in TOLD_ALONE}


def database() -> str:
    """A query is answered."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return ""


def requests() -> str:
    """No request's looks fail again and again. One that does is no reason to take a process away."""
    try:
        failing = FalRequest.objects.failing().count()
    except DatabaseError:
        return ""  # which is told by the part of that name
    if not failing:
        return ""
    which = "1 request cannot" if failing == 1 else f"{failing} requests cannot"
    return f"{which} be looked at for the third time or more; the timeline of each says why."


def worker() -> str:
    """Somebody sweeps: without that nothing is sent or polled."""
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
    """A probe that is asked at most every `CACHED_S` seconds, by one caller at a time."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._answer = ""
        self._until = 0.0

    def __call__(self) -> str:
        """The probe's answer, possibly a few seconds old."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._answer = self._probe()
                self._until = time.monotonic() + CACHED_S
            return self._answer

    def forget(self) -> None:
        """Ask anew next time."""
        self._until = 0.0


def _ask_broker() -> str:
    if not settings.REDIS_URL:
        return ""  # in this process's memory
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError):
        return "Redis does not answer."
    return ""


def _upstream() -> tuple[str, str]:
    """What has to be there, and its address.

    Without a key the queue is of no use, and what works is an app of one's own at FAL_RUN_URL.
    """
    if settings.FAL_KEY:
        return "fal's queue", settings.FAL_QUEUE_URL
    return "The app at FAL_RUN_URL", settings.FAL_RUN_URL


def _ask_upstream() -> str:
    """A connection is enough: a call would need the key, and a bad key is no reason to restart."""
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
}
