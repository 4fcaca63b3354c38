"""The Celery application: broker from the settings, periodic tasks."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

SWEEP_EVERY_S = 1.0
CLOCK_EVERY_S = 30.0
EXPIRED_EVERY_S = 600.0
DOCUMENTS_EVERY_S = 60.0
INDEX_EVERY_S = 5.0
ERRORS_EVERY_S = 2.0
SEAL_EVERY_S = 2.0
PRICES_EVERY_S = 20.0
COPIES_EVERY_S = 5.0
NOTICES_EVERY_S = 3.0
ROLL_UP_EVERY_S = 2.0


def broker_options(redis_url: str) -> dict[str, float]:
    """Return the options of the broker's transport."""
    if not redis_url:
        # How often the worker polls the in-memory queue; the default is a whole second.
        return {"polling_interval": 0.02}
    # A Redis that is down must not delay the page that sends a hint: one quick try.
    return {**settings.REDIS_TIMEOUTS, "max_retries": 0}


app = Celery("faldeck")
app.conf.update(
    broker_url=settings.REDIS_URL or "memory://localhost/",
    broker_transport_options=broker_options(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # a worker without Redis still has its own clock
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="faldeck",
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    # Threads: all tasks of a process hand their work to its one event loop.
    worker_pool="threads",
    worker_concurrency=4,
    # Expires: a busy worker must not work through a backlog of stale ticks.
    beat_schedule={
        "sweep": {
            "task": "requests_app.sweep",
            "schedule": SWEEP_EVERY_S,
            "options": {"expires": 5},
        },
        "look_at_clock": {
            "task": "requests_app.look_at_clock",
            "schedule": CLOCK_EVERY_S,
            "options": {"expires": CLOCK_EVERY_S},
        },
        "remove_expired": {
            "task": "requests_app.remove_expired",
            "schedule": EXPIRED_EVERY_S,
            "options": {"expires": EXPIRED_EVERY_S},
        },
        "refresh_documents": {
            "task": "requests_app.refresh_documents",
            "schedule": DOCUMENTS_EVERY_S,
            "options": {"expires": DOCUMENTS_EVERY_S},
        },
        "keep_copies": {
            "task": "requests_app.keep_copies",
            "schedule": COPIES_EVERY_S,
            "options": {"expires": COPIES_EVERY_S},
        },
        "send_notices": {
            "task": "requests_app.send_notices",
            "schedule": NOTICES_EVERY_S,
            "options": {"expires": NOTICES_EVERY_S},
        },
        "index_history": {
            "task": "requests_app.index_history",
            "schedule": INDEX_EVERY_S,
            "options": {"expires": INDEX_EVERY_S},
        },
        "group_errors": {
            "task": "requests_app.group_errors",
            "schedule": ERRORS_EVERY_S,
            "options": {"expires": ERRORS_EVERY_S},
        },
        "seal_audit": {
            "task": "requests_app.seal_audit",
            "schedule": SEAL_EVERY_S,
            "options": {"expires": SEAL_EVERY_S},
        },
        "price_requests": {
            "task": "requests_app.price_requests",
            "schedule": PRICES_EVERY_S,
            "options": {"expires": PRICES_EVERY_S},
        },
        "roll_up": {
            "task": "requests_app.roll_up",
            "schedule": ROLL_UP_EVERY_S,
            "options": {"expires": ROLL_UP_EVERY_S},
        },
    },
)
app.autodiscover_tasks(["requests_app"])
