"""While fal's queue is away, ask once a second whether it is back, and leave everything else alone.

Without this each of a thousand waiting rows would find out for itself, and back off for itself; worse,
each submit that meets a 503 ends as uncertain. One breaker for each key and address, in each process;
the asking is shared by all processes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from requests_app.fal import BadReply, FalError, NotSent, NotTheResult, TooLarge, Unanswered
from requests_app.models import Heartbeat
from requests_app.upkeep.metrics import BREAKER

FAILURES = 5  # in a row
PROBE_EVERY = timedelta(seconds=1)

logger = logging.getLogger(__name__)


def is_outage(error: FalError) -> bool:
    """Whether fal was not there, as opposed to there and of another opinion."""
    if isinstance(error, NotTheResult) and error.is_from_fal:
        return False
    if isinstance(error, Unanswered) and not isinstance(error, TooLarge | BadReply):
        return error.status_code is None or error.status_code >= 500
    return isinstance(error, NotSent)


class Breaker:
    """Opens after `FAILURES` outages in a row, closes with the first answer. Of one thread."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether nothing but a probe should be sent."""
        return self._failures >= FAILURES

    def is_well(self) -> bool:
        """Whether the last call was answered, or there was none."""
        return self._failures == 0

    def may_probe(self) -> bool:
        """True for one caller a second while it is open."""
        if not self.is_open or self._clock() < self._probe_at:
            return False
        self._probe_at = self._clock() + PROBE_EVERY.total_seconds()
        return True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Around a call to fal: hear how it went; the error goes on."""
        try:
            yield
        except FalError as error:
            self._heard(is_outage(error), str(error))
            raise
        self._heard(False, "")  # noqa: FBT003

    def _heard(self, failed: bool, why: str) -> None:  # noqa: FBT001
        was_open = self.is_open
        self._failures = self._failures + 1 if failed else 0
        if self.is_open and not was_open:
            self._probe_at = self._clock() + PROBE_EVERY.total_seconds()
            BREAKER.set(1)
            logger.warning("fal's queue is away, it is asked once a second from now on: %s", why)
        elif was_open and not self.is_open:
            BREAKER.set(0)
            logger.warning("fal's queue is back.")


def take_probe(name: str, *, now: datetime) -> bool:
    """The right to probe in this second: of all processes on this database one has it.

    A time in the future is another machine's wrong clock, for which nobody waits.
    """
    part = f"probe {name}"
    Heartbeat.objects.get_or_create(part=part, defaults={"at": datetime.min.replace(tzinfo=UTC)})
    is_free = Q(at__lte=now - PROBE_EVERY) | Q(at__gt=now + PROBE_EVERY)
    return bool(Heartbeat.objects.filter(is_free, part=part).update(at=now))
