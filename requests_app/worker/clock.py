"""The worker's own clock: it sweeps whenever no tick has come through the broker for a while.

Celery's clock sends its ticks by Redis, which may be gone for hours; requests must find their ends
all the same.
"""

from __future__ import annotations

import logging
import threading
import time

from requests_app.worker.loop import watch_loop
from requests_app.worker.sweep import sweep

EVERY_S = 1.0
SILENCE_S = 3.0
SWEEP_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)


class Clock:
    """A thread that is idle as long as `heard` is called often enough."""

    def __init__(self, *, every_s: float = EVERY_S, silence_s: float = SILENCE_S) -> None:
        self._every_s, self._silence_s = every_s, silence_s
        self._heard_at = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def heard(self) -> None:
        """A tick came from outside."""
        self._heard_at = time.monotonic()

    def start(self) -> None:
        """Returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """To be called before the watch loop ends, which a late sweep would start again."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            if time.monotonic() - self._heard_at > self._silence_s:
                self._sweep()

    def _sweep(self) -> None:
        try:
            watch_loop.run(sweep(), timeout_s=SWEEP_TIMEOUT_S)
        except Exception:  # the database may be away as well; the next second will tell
            logger.warning("A sweep of the worker's own clock failed.", exc_info=True)


clock = Clock()
