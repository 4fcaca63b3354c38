"""Celery tasks, from the clock or after a commit. Each submits its work to the worker loop at once."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from celery import shared_task
from django.utils import timezone

from requests_app.accounts.reset_links import mail_reset_link
from requests_app.accounts.sign_up import mail_sign_up_link
from requests_app.audit import sealing
from requests_app.catalogue import fal_models, store
from requests_app.error_groups import counting
from requests_app.error_groups import history as older_errors
from requests_app.lifecycle.older_media import note_media
from requests_app.overview import rolling
from requests_app.search import history
from requests_app.teams import erasing
from requests_app.upkeep import health, retention_runs, team_deletion
from requests_app.upkeep.clock_skew import alarm
from requests_app.upkeep.expired import remove_expired as remove_expired_rows
from requests_app.webhooks import senders
from requests_app.worker import process  # noqa: F401  (connects its start and stop)
from requests_app.worker.clock import clock
from requests_app.worker.copies import keeper
from requests_app.worker.fal_deletions import eraser
from requests_app.worker.forwarding import forwarder
from requests_app.worker.local_jobs import run_due
from requests_app.worker.loop import pool, worker_loop
from requests_app.worker.notices import sender
from requests_app.worker.pricing import price_due
from requests_app.worker.steps import advance as take_step
from requests_app.worker.sweep import sweep as sweep_once
from requests_app.worker.thumbnails import maker


@shared_task(name="requests_app.advance", ignore_result=True)
def advance(pk: int) -> None:
    """Take one request's next step. A second delivery is harmless: the lease goes to one worker."""
    worker_loop.spawn(take_step(pk))


@shared_task(name="requests_app.send_reset_link", ignore_result=True)
def send_reset_link(address: str, origin: str) -> None:
    """Mail a reset link, beside the worker's loop: it waits for the mail server."""
    mail_reset_link(address, origin)


@shared_task(name="requests_app.send_sign_up_link", ignore_result=True)
def send_sign_up_link(address: str, origin: str) -> None:
    """Mail a sign-up link, or that there is an account."""
    mail_sign_up_link(address, origin)


@shared_task(name="requests_app.sweep", ignore_result=True)
def sweep() -> None:
    """Start the next step of everything that is due."""
    clock.note_tick()
    worker_loop.run(sweep_once(), timeout_s=30)


@shared_task(name="requests_app.run_local_jobs", ignore_result=True)
def run_local_jobs() -> None:
    """Give waiting jobs to their own apps, before the next sweep does."""
    worker_loop.spawn(run_due())


@shared_task(name="requests_app.look_at_clock", ignore_result=True)
def look_at_clock() -> None:
    """Log when this machine's clock turns out wrong, and when it is right again."""
    alarm.look(health.clock())


@shared_task(name="requests_app.read_webhook_senders", ignore_result=True)
def read_webhook_senders() -> None:
    """Read fal's webhook addresses when that is due, beside the worker's loop: it waits for fal."""
    senders.refresh(timezone.now())


@shared_task(name="requests_app.remove_expired", ignore_result=True)
def remove_expired() -> None:
    """Delete expired sessions and counted guesses."""
    worker_loop.run(pool.in_database(remove_expired_rows, timezone.now()), timeout_s=60)


@shared_task(name="requests_app.make_thumbnails", ignore_result=True)
def make_thumbnails() -> None:
    """Make the thumbnails that pages want. A second delivery finds the first at work."""
    worker_loop.spawn(maker.make_wanted())


@shared_task(name="requests_app.keep_copies", ignore_result=True)
def keep_copies() -> None:
    """Keep the media that teams want to have here. During a round a second call does nothing."""
    worker_loop.spawn(keeper.keep_due())


@shared_task(name="requests_app.delete_at_fal", ignore_result=True)
def delete_at_fal() -> None:
    """Ask fal to delete what it keeps of requests. During a round a second call does nothing."""
    worker_loop.spawn(eraser.erase_due())


@shared_task(name="requests_app.send_notices", ignore_result=True)
def send_notices() -> None:
    """Look for what the teams' rules are about, and send what is due. A second delivery finds the first at work."""
    worker_loop.spawn(sender.run())


@shared_task(name="requests_app.forward", ignore_result=True)
def forward() -> None:
    """Look for what is to be forwarded, and send what is due. A second delivery finds the first at work."""
    worker_loop.spawn(forwarder.run())


@shared_task(name="requests_app.refresh_documents", ignore_result=True)
def refresh_documents() -> None:
    """Fetch endpoint documents and fal's words on them when they are a day old, beside the worker's
    loop: it waits for fal.
    """
    store.refresh_old(now=timezone.now())
    fal_models.refresh_cards(now=timezone.now())


@shared_task(name="requests_app.seal_audit", ignore_result=True)
def seal_audit() -> None:
    """Seal new entries of the audit trail; of two workers at once one does it."""
    worker_loop.run(pool.in_database(sealing.seal, timezone.now()), timeout_s=60)


@shared_task(name="requests_app.price_requests", ignore_result=True)
def price_requests() -> None:
    """Store costs whose prices were not known at the end, beside the worker's loop: it waits for fal."""
    price_due(timezone.now())


INDEX_FOR_S = (
    2.0  # of the seconds that `dashboard.celery.EVERY_S` gives it: the rest is for other work
)
PAUSE_S = 0.05  # between two pieces, for those who wait for the database


@shared_task(name="requests_app.index_history", ignore_result=True)
def index_history() -> None:
    """Index some of the rows of before the index, and note their media."""
    worker_loop.run(_index_history(), timeout_s=60)


async def _index_history() -> None:
    end = time.monotonic() + INDEX_FOR_S
    piece = partial(history.index_piece, note_media)
    while await pool.in_database(piece) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(PAUSE_S)


GROUP_FOR_S = 1.0  # likewise


@shared_task(name="requests_app.group_errors", ignore_result=True)
def group_errors() -> None:
    """Count what has failed by groups, and group some of what failed in older versions."""
    worker_loop.run(_group_errors(), timeout_s=60)


async def _group_errors() -> None:
    end = time.monotonic() + GROUP_FOR_S
    while await pool.in_database(_group_some) and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(PAUSE_S)


def _group_some() -> bool:
    """Do one piece of each; return False when nothing is left."""
    return any([older_errors.group_piece(), counting.fold()])


ROLL_UP_FOR_S = 1.0  # likewise


@shared_task(name="requests_app.roll_up", ignore_result=True)
def roll_up() -> None:
    """Count what has changed, beside the worker's loop, whose one database thread is for requests."""
    end = time.monotonic() + ROLL_UP_FOR_S
    while rolling.count_piece(timezone.now()) and time.monotonic() < end:
        time.sleep(PAUSE_S)


DELETE_FOR_S = 2.0  # likewise


@shared_task(name="requests_app.delete_teams", ignore_result=True)
def delete_teams() -> None:
    """Remove some of what deleted teams had, beside the worker's loop, as `roll_up` does."""
    end = time.monotonic() + DELETE_FOR_S
    while team_deletion.delete_piece(timezone.now()) and time.monotonic() < end:
        time.sleep(PAUSE_S)


@shared_task(name="requests_app.erase_names", ignore_result=True)
def erase_names() -> None:
    """Take names of deleted accounts out of the history, beside the worker's loop, as `roll_up` does."""
    end = time.monotonic() + DELETE_FOR_S
    while erasing.erase_names() and time.monotonic() < end:
        time.sleep(PAUSE_S)


RETAIN_FOR_S = 3.0  # likewise


@shared_task(name="requests_app.apply_retention", ignore_result=True)
def apply_retention() -> None:
    """Start the day's runs of retention and do some of them, beside the worker's loop."""
    end = time.monotonic() + RETAIN_FOR_S
    retention_runs.begin_due(timezone.now())
    while retention_runs.run_piece(timezone.now()) and time.monotonic() < end:
        time.sleep(PAUSE_S)
