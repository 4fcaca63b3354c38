"""Give the jobs of own apps (`LOCAL_APPS`) to their apps, and tell their webhooks."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.localqueue import hooks, jobs
from requests_app.localqueue.running import JobRun
from requests_app.models import LocalJob
from requests_app.worker import faults
from requests_app.worker.loop import pool, worker_loop

logger = logging.getLogger(__name__)


async def run_due() -> None:
    """Begin what is due. It may be called at any time and in many processes: a job has one holder."""
    if not settings.LOCAL_APPS:
        return
    try:
        await pool.in_database(jobs.end_overdue, timezone.now())
        for app in settings.LOCAL_APPS.values():
            while job := await pool.in_database(jobs.take, app, timezone.now()):
                worker_loop.start(_run(job, app))
        for job in await pool.in_database(hooks.take_due, timezone.now()):
            worker_loop.start(_tell(job))
    except faults.DATABASE_AWAY as error:
        faults.tell(logger, "Requests of local apps wait for the database", error)


async def _run(job: LocalJob, app: LocalApp) -> None:
    await JobRun(job, app, pool.in_database_with_retry).run()
    await run_due()  # its slot is free, and its webhook is due


async def _tell(job: LocalJob) -> None:
    if await hooks.deliver(job):
        await pool.in_database_with_retry(hooks.heard, job)
    else:
        await pool.in_database(hooks.not_heard, job, timezone.now())
