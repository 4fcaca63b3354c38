"""Circuit breaker for fal's queue: during an outage nothing is sent except one probe a second.

Without it each of a thousand waiting rows would discover the outage and back off on its own, and each
submit that meets a 503 would end as uncertain. There is one breaker per key and address in each process;
`probe` shares the probes between processes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from requests_app.fal import BadReply, FalError, NotSent, NotTheResult, TooLarge, Unanswered
from requests_app.upkeep.metrics import BREAKER

FAILURES = 5  # outages in a row before it opens
PROBE_EVERY = timedelta(seconds=1)

logger = logging.getLogger(__name__)


def is_outage(error: FalError) -> bool:
    """Return whether fal could not be reached, as opposed to answering with an error."""
    if isinstance(error, NotTheResult) and error.is_from_fal:
        return False
    if isinstance(error, Unanswered) and not isinstance(error, TooLarge | BadReply):
        return error.status_code is None or error.status_code >= 500
    return isinstance(error, NotSent)


class Breaker:
    """Opens after `FAILURES` outages in a row, closes with the first answer. Not thread-safe."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether only a probe may be sent."""
        return self._failures >= FAILURES

    def is_well(self) -> bool:
        """Return whether the last call was answered, or none was made."""
        return self._failures == 0

    def may_probe(self) -> bool:
        """Return True for one caller a second while the breaker is open."""
        if not self.is_open or self._clock() < self._probe_at:
            return False
        self._probe_at = self._clock() + PROBE_EVERY.total_seconds()
        return True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Record the outcome of the call to fal in this block; an error is raised again."""
        try:
            yield
        except FalError as error:
            self._record(is_outage(error), str(error))
            raise
        self._record(False, "")  # noqa: FBT003

    def _record(self, failed: bool, why: str) -> None:  # noqa: FBT001
        was_open = self.is_open
        self._failures = self._failures + 1 if failed else 0
        if self.is_open and not was_open:
            self._probe_at = self._clock() + PROBE_EVERY.total_seconds()
            BREAKER.set(1)
            logger.warning("fal's queue is down; probing it once a second: %s", why)
        elif was_open and not self.is_open:
            BREAKER.set(0)
            logger.warning("fal's queue is up again.")
