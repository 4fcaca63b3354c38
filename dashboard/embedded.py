"""One process for everything: the Celery worker and beat in threads beside the web server.

Start: worker, then beat. Stop: beat, worker, then the event loop they use.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.apps.beat import Beat  # noqa: F401  (registers beat's settings)
from celery.beat import Scheduler, Service

from dashboard.celery import app

logger = logging.getLogger(__name__)

WORKER_THREADS = 4
STOP_TIMEOUT_S = 15.0


class Embedded:
    """The worker and beat of the embedded mode."""

    def __init__(self) -> None:
        # `WorkController`, unlike `Worker`, installs no signal handlers: Daphne needs its own.
        self._worker: Any = app.WorkController(
            pool_cls="threads",
            concurrency=WORKER_THREADS,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._beat: Any = Service(app, max_interval=1, scheduler_cls=Scheduler)
        self._threads = [
            threading.Thread(target=self._worker.start, name="celery-worker", daemon=True),
            threading.Thread(target=self._beat.start, name="celery-beat", daemon=True),
        ]

    def start(self) -> None:
        """Start both; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let running tasks finish; queued ones are dropped, and the sweep finds their rows at the
        next start.
        """
        self._beat.stop(wait=False)
        self._worker.stop()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
            if thread.is_alive():
                logger.warning("%s did not stop in time.", thread.name)
