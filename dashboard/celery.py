"""The Celery application: broker from the settings, one clock."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

SWEEP_EVERY_S = 1.0

app = Celery("faldeck")
app.conf.update(
    broker_url=settings.REDIS_URL or "memory://localhost/",
    # In memory the worker looks for messages at this interval; the default is a whole second.
    broker_transport_options={} if settings.REDIS_URL else {"polling_interval": 0.02},
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="faldeck",
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    # Expires: a busy worker must not work off a backlog of stale ticks.
    beat_schedule={
        "sweep": {
            "task": "requests_app.sweep",
            "schedule": SWEEP_EVERY_S,
            "options": {"expires": 5},
        },
    },
)
app.autodiscover_tasks(["requests_app"])
