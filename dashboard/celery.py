"""The Celery application: broker from the settings, periodic tasks."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

SWEEP_EVERY_S = 1.0
# Tasks of the clock, each with its seconds; their names are those in `requests_app.tasks`.
EVERY_S = {
    "sweep": SWEEP_EVERY_S,
    "group_errors": 2.0,
    "seal_audit": 2.0,
    "roll_up": 2.0,
    "forward": 2.0,
    "send_notices": 3.0,
    "delete_at_fal": 5.0,
    "delete_teams": 5.0,
    "erase_names": 10.0,
    "keep_copies": 5.0,
    "index_history": 5.0,
    "apply_retention": 15.0,
    "price_requests": 20.0,
    "read_webhook_senders": 10.0,
    "look_at_clock": 30.0,
    "refresh_documents": 60.0,
    "remove_expired": 600.0,
}
LEAST_EXPIRY_S = 5.0  # of a tick: a busy worker still takes one that is a little late


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
        name: {
            "task": f"requests_app.{name}",
            "schedule": every_s,
            "options": {"expires": max(every_s, LEAST_EXPIRY_S)},
        }
        for name, every_s in EVERY_S.items()
    },
)
app.autodiscover_tasks(["requests_app"])
