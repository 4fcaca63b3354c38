"""Start and stop of a worker process. `tasks.py` imports this module, so every worker runs it."""

from __future__ import annotations

import threading
from typing import Any

from celery import signals
from django.conf import settings
from django.utils import timezone
from prometheus_client import start_http_server

from requests_app import lifecycle
from requests_app.upkeep.metrics import REGISTRY
from requests_app.worker.clock import clock
from requests_app.worker.loop import worker_loop


@signals.worker_init.connect
def start_clock(**_: Any) -> None:
    """Start the fallback clock before the broker is reached: sweeps must not depend on the broker."""
    if settings.REDIS_URL:
        clock.start()


@signals.worker_ready.connect
def serve_metrics(**_: Any) -> tuple[Any, threading.Thread] | None:
    """Serve the metrics of a separate worker process; the embedded worker shares the site's."""
    if not (settings.METRICS_PORT and settings.REDIS_URL):
        return None
    return start_http_server(settings.METRICS_PORT, addr="127.0.0.1", registry=REGISTRY)


@signals.worker_ready.connect
def resume_open_requests(**_: Any) -> None:
    """Make every open row due now instead of at the time the previous worker planned."""
    lifecycle.resume(now=timezone.now(), alone=False)


@signals.worker_shutdown.connect
def drain(**_: Any) -> None:
    """Finish submits in flight; cancel all other steps, whose rows the next sweep finds."""
    clock.stop()  # first: a late sweep would start the loop again
    worker_loop.stop()
