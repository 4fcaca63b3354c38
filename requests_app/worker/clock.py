"""Fallback clock: runs the sweep when no tick has come through the broker for a while.

Celery beat sends its ticks through Redis, which may be down for hours; requests must end all the same.
"""

from __future__ import annotations

import logging
import threading
import time

from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep

EVERY_S = 1.0
SILENCE_S = 3.0
SWEEP_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)


class Clock:
    """A thread that sweeps unless `note_tick` has been called within the last `silence_s` seconds."""

    def __init__(self, *, every_s: float = EVERY_S, silence_s: float = SILENCE_S) -> None:
        self._every_s, self._silence_s = every_s, silence_s
        self._heard_at = time.monotonic()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def note_tick(self) -> None:
        """Record a tick from Celery beat."""
        self._heard_at = time.monotonic()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread. Call this before stopping the worker loop: a late sweep would restart it."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            if time.monotonic() - self._heard_at > self._silence_s:
                self._sweep()

    def _sweep(self) -> None:
        try:
            worker_loop.run(sweep(), timeout_s=SWEEP_TIMEOUT_S)
        except Exception:  # such as a database outage; the next second tries again
            logger.warning("A sweep of the fallback clock failed.", exc_info=True)


clock = Clock()
