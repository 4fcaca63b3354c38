"""Poll one request at fal: tell it of a cancel, ask for the status, fetch the result."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from datetime import datetime, timedelta

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    FalError,
    NotTheResult,
    Refused,
    RequestUrls,
    Result,
    StatusReport,
    TooLarge,
)
from requests_app.keys import Key
from requests_app.models import FalRequest, Source
from requests_app.rules.paid_result import completed_by
from requests_app.rules.transitions import Gone, News
from requests_app.worker import (
    failed_looks,
    faults,
    leases,
    probe,
    results,
    row_keys,
    status_stream,
)
from requests_app.worker.failed_looks import Failure
from requests_app.worker.looks import Look, give_back, take, urls_of
from requests_app.worker.loop import connections, pool
from requests_app.worker.observing import observe

logger = logging.getLogger(__name__)

LOST_AFTER = timedelta(minutes=10)  # how long fal may deny knowing a request it accepted
# Denials in a row, with their backoff, before the next one is believed; a single one proves nothing.
DENIALS_BEFORE_LOST = 15  # about ten minutes
DENIALS_AFTER_CANCEL = 3  # some seconds: fal accepted the cancellation and forgot the request


async def poll(row: FalRequest) -> None:
    """Poll the row's request once, if no other worker has the lease."""
    pk = row.pk
    async with connections.looks:  # before the lease, so that it is held for a moment only
        if await probe.must_wait(row.endpoint_id, await row_keys.key_of(row)):
            return
        look = await take(pk)
        if look is None:
            return
        try:
            key = await row_keys.key_of(look.row)
            with leases.renewing(pk, look.lease):
                await _ask(look, key)
                if look.failure:
                    await _despite(look, look.failure, key)
        finally:
            await give_back(look)
    status_stream.end_unwanted(look.row)
    if not look.row.is_ended and not look.failure and status_stream.is_wanted(look.row):
        status_stream.begin(pk, look.urls, key)


async def _ask(look: Look, key: Key) -> None:
    row = look.row
    if key.problem:  # the row waits for its key, however long that takes
        look.failed, look.failure = True, Failure(key.problem, is_account=True)
        return
    try:
        with connections.breaker(row.endpoint_id).listening():
            if row.is_cancelling and not row.cancel_answer:
                await _cancel(look, key)
            report = await _status(look, key)
            if report.is_completed and not row.is_ended:
                await _result(look, report, key)
            elif report.is_completed and lifecycle.lacks_output(row):
                await _late_result(look, report, key)
        # A webhook may arrive before fal updates the status, which then lacks logs and metrics.
        look.failed = look.failed or (row.is_ended and not report.is_completed)
    except NotTheResult:  # already noted
        look.failed = True
    except asyncio.CancelledError:  # this process stops: fal has not answered
        look.failed = True
        raise
    except Refused as error:
        await row_keys.note(key, error)
        await _refused(look, error)
    except FalError as error:
        look.failed, look.failure = True, failed_looks.of_fal(error)
    except faults.DATABASE_AWAY:
        look.failed = True
        raise
    except Exception as error:
        look.failed, look.failure = True, failed_looks.of_ours(row.pk, error)


async def _despite(look: Look, failure: Failure, key: Key) -> None:
    """After a failed poll: fetch the result anyway, or end the row when it is hopeless."""
    tries = look.row.tries + 1
    if look.row.is_ended:
        return
    is_alive = False
    if failed_looks.is_rescue_due(failure, tries) and (urls := _urls_if_any(look.row)):
        found = await failed_looks.fetch(urls, key)
        if isinstance(found, Result) and not failure.is_also(found):
            await _store(look, found, timezone.now())
            return
        is_alive = found is True
    if failed_looks.is_hopeless(failure, tries) and not is_alive:
        await failed_looks.end(look.row.pk, failure)


def _urls_if_any(row: FalRequest) -> RequestUrls | None:
    try:
        return urls_of(row)
    except ValueError:
        return None


async def _store(look: Look, result: Result, asked_at: datetime) -> None:
    """Store the end; when that fails, store it without anything derived from its output."""
    with closing(result):
        try:
            await _heard(look, result, asked_at)
        except faults.DATABASE_AWAY:
            raise
        except Exception as error:
            failure = failed_looks.of_ours(look.row.pk, error)
            await failed_looks.end(look.row.pk, failure, result)


async def _cancel(look: Look, key: Key) -> None:
    """Ask fal to cancel. A failure is retried later and never keeps the row from its status and result."""
    try:
        async with connections.calls:
            answer = await connections.client(key).cancel(look.urls)
    except FalError as error:
        look.failed, look.asked_s = True, getattr(error, "retry_after_s", None)
        logger.info("The cancel of request %s failed: %s", look.row.pk, error)
        return
    await pool.in_database(
        lifecycle.note_cancel_answer, look.row.pk, answer.kind, now=timezone.now()
    )


async def _status(look: Look, key: Key) -> StatusReport:
    asked_at = timezone.now()
    report = await _report(look.urls, key)
    if lifecycle.brings_news(look.row, report):
        await _observed(look, report, asked_at)
    else:
        look.unheard = True
    if not report.is_known:
        why = f"fal's status is {report.status[:80]!r}, which is new here."
        look.failed, look.failure = True, Failure(why, is_answered=True)
    return report


async def _report(urls: RequestUrls, key: Key) -> StatusReport:
    try:
        async with connections.calls:
            return await connections.client(key).status(urls, logs=True)
    except TooLarge:  # the log is too large; the status itself is small
        async with connections.calls:
            return await connections.client(key).status(urls, logs=False)


async def _observed(look: Look, report: StatusReport, asked_at: datetime) -> None:
    row = look.row
    heard = await observe(lifecycle.RowReport(row.pk, report, Source.POLL, asked_at, seen=row))
    if heard.seq is not None and not (report.is_completed or row.is_ended):
        row.seq = heard.seq  # what decides the time of the next poll has stayed as it was


async def _result(look: Look, report: StatusReport, key: Key) -> None:
    asked_at = timezone.now()
    end = await results.fetch(look.row, look.urls, report, key)
    if end is None:
        look.failed = True
        return
    try:
        await _heard(look, end, asked_at)
    finally:
        if isinstance(end, Result):
            end.close()


async def _late_result(look: Look, report: StatusReport, key: Key) -> None:
    """Fetch the result of a request that failed without one: it may have the reason or the output."""
    asked_at = timezone.now()
    async with connections.calls:
        came = await connections.client(key).result(look.urls)
    with closing(completed_by(came, report)) as result:
        await _heard(look, result, asked_at)


async def _refused(look: Look, error: Refused) -> None:
    """Handle a refused poll: fal does not know the id, or does not allow the call now."""
    look.failed, look.asked_s = True, error.retry_after_s
    if not error.is_gone:
        look.failure = failed_looks.of_fal(error)
    elif look.row.is_ended:  # aftercare goes on for a while, unless a user asked and has the answer
        now = timezone.now()
        told = await pool.in_database(lifecycle.note_reread_gone, look.row.pk, now=now)
        look.failed = not told
    else:
        now = timezone.now()
        denials = await pool.in_database(lifecycle.note_denied, look.row.pk, "request", now=now)
        if _is_lost(look.row, denials, now):
            await _heard(look, Gone("request"), now)


def _is_lost(row: FalRequest, denials: int, now: datetime) -> bool:
    """Return whether fal has denied knowing the request often enough to be believed."""
    if row.cancel_answer in ("requested", "removed"):
        return denials > DENIALS_AFTER_CANCEL
    is_old = row.sent_at is None or now - row.sent_at > LOST_AFTER
    return is_old and denials > DENIALS_BEFORE_LOST


async def _heard(look: Look, news: News, asked_at: datetime) -> None:
    await pool.in_database(
        lifecycle.observe, look.row.pk, news, source=Source.POLL, asked_at=asked_at
    )
