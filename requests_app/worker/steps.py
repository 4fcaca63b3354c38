"""Take one request's next step: submit it, cancel it at fal, poll its status, fetch its result."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from dashboard import logcontext
from requests_app import lifecycle
from requests_app.fal import (
    EndpointId,
    FalError,
    NotTheResult,
    Refused,
    RequestUrls,
    Result,
    StatusReport,
    TooLarge,
    urls_for,
)
from requests_app.models import AT_FAL, FalRequest, Mode, Source, Status
from requests_app.rules import schedule
from requests_app.rules.paid_result import completed_by
from requests_app.rules.transitions import Gone, News
from requests_app.upkeep.metrics import STEPS
from requests_app.worker import (
    direct_calls,
    failed_looks,
    faults,
    leases,
    lost_submits,
    probe,
    results,
    status_stream,
    submits,
)
from requests_app.worker.failed_looks import Failure
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.group_calls import GroupedCall
from requests_app.worker.loop import connections, pool

logger = logging.getLogger(__name__)

LOST_AFTER = timedelta(minutes=10)  # how long fal may deny knowing a request it accepted
UNANSWERED_BEFORE_TOLD = lifecycle.TOLD_AT
# Denials in a row, with their backoff, before the next one is believed; a single one proves nothing.
DENIALS_BEFORE_LOST = 15  # about ten minutes
AFTERCARE_TRIES = 9  # failed polls of a request that has ended, with their backoff: six minutes
DENIALS_AFTER_CANCEL = 3  # some seconds: fal accepted the cancellation and forgot the request

COLUMNS = (
    "public_id", "mode", "status", "endpoint_id", "fal_request_id", "status_url", "response_url",
    "cancel_url", "cancel_asked_at", "cancel_answer", "sent_at", "created_at", "watched_until",
    "finished_at", "tries", "due_at", "leased_until", "error_type", "output_size", "payload_removed_at",
)  # fmt: skip


async def advance(request: int | FalRequest) -> None:
    """Take the next step of this request, if one is due and no other worker has the lease.

    Given as its key, or as the row with `COLUMNS` as it is at this moment.
    """
    pk = request if isinstance(request, int) else request.pk
    logcontext.row.set(pk)
    try:
        row = await pool.in_database(_load, pk) if isinstance(request, int) else request
        if row is not None and row.due_at is not None and row.due_at <= timezone.now():
            await _advance(row)
    except faults.DATABASE_AWAY as error:
        faults.tell(logger, f"A step of request {pk} waits for the database", error)
    except Exception as error:
        await failed_looks.step_failed(pk, error)


async def _advance(row: FalRequest) -> None:
    if row.status == Status.PENDING:
        await _send(row)
    elif row.status == Status.SUBMITTING or (row.mode != Mode.QUEUE and not row.is_ended):
        if not leases.is_held_here(row.pk):
            await pool.in_database(lifecycle.expire_lease, row.pk, now=timezone.now())
    elif row.is_lost:
        with STEPS.labels("search").time():
            await lost_submits.look_for(row)
    elif row.status in AT_FAL or row.is_ended:
        with STEPS.labels("look").time():
            await _look(row)


def _load(pk: int) -> FalRequest | None:
    return FalRequest.objects.only(*COLUMNS).filter(pk=pk).first()


# --- sending --------------------------------------------------------------------------------------


async def _send(row: FalRequest) -> None:
    if row.mode != Mode.QUEUE:
        if attempt := await _start_attempt(row.pk):
            await direct_calls.call(attempt)
        return
    # First a free place, then the lease: it must not expire while this waits for a place.
    with STEPS.labels("submit").time():
        await _send_in_turn(row)


async def _send_in_turn(row: FalRequest) -> None:
    is_well = connections.breaker().is_well
    async with connections.submits.place(is_well), connections.calls:
        if await probe.must_wait(row.endpoint_id):
            return
        if attempt := await _start_attempt(row.pk):
            async with leases.renewing(attempt.pk, attempt.lease):
                await submits.submit(attempt)


_start_attempt: GroupedCall[int, lifecycle.Attempt | None] = GroupedCall(
    lambda pks: lifecycle.start_attempts(pks, now=timezone.now())
)


# --- polling --------------------------------------------------------------------------------------


@dataclass
class Look:
    """A leased row and the outcome of polling it so far."""

    row: FalRequest
    lease: UUID
    failed: bool = False
    failure: Failure | None = None  # why fal could not be reached or understood
    asked_s: float | None = None  # how long fal wants us to wait

    @property
    def urls(self) -> RequestUrls:
        """Raises ValueError for a row whose ids make no URL."""
        return urls_of(self.row)


async def _look(row: FalRequest) -> None:
    pk = row.pk
    async with connections.calls:  # before the lease, which must not expire while this waits
        if await probe.must_wait(row.endpoint_id):
            return
        look = await _take(pk)
        if look is None:
            return
        try:
            async with leases.renewing(pk, look.lease):
                await _ask(look)
                if look.failure:
                    await _despite(look, look.failure)
        finally:
            await _give_back(look)
    status_stream.end_unwanted(look.row)
    if not look.row.is_ended and not look.failure and status_stream.is_wanted(look.row):
        status_stream.begin(pk, look.urls)


def _take_many(pks: Sequence[int]) -> list[Look | None]:
    with transaction.atomic():  # a row that cannot be read is not leased either
        now = timezone.now()
        rows = FalRequest.objects.only(*COLUMNS).take_leases(pks, now, lifecycle.LEASE)
    looks = {row.pk: Look(row, row.lease) for row in rows if row.lease}
    return [looks.pop(pk, None) for pk in pks]  # of two that want one row, the first gets it


_take = GroupedCall(_take_many)


async def _ask(look: Look) -> None:
    row = look.row
    try:
        with connections.breaker().listening():
            if row.is_cancelling and not row.cancel_answer:
                await _cancel(look)
            report = await _status(look)
            if report.is_completed and not row.is_ended:
                await _result(look, report)
            elif report.is_completed and lifecycle.lacks_output(row):
                await _late_result(look, report)
        # A webhook may arrive before fal updates the status, which then lacks logs and metrics.
        look.failed = look.failed or (row.is_ended and not report.is_completed)
    except NotTheResult:  # already noted
        look.failed = True
    except asyncio.CancelledError:  # this process stops: fal has not answered
        look.failed = True
        raise
    except Refused as error:
        await _refused(look, error)
    except FalError as error:
        look.failed, look.failure = True, failed_looks.of_fal(error)
    except faults.DATABASE_AWAY:
        look.failed = True
        raise
    except Exception as error:
        look.failed, look.failure = True, failed_looks.of_ours(row.pk, error)


async def _despite(look: Look, failure: Failure) -> None:
    """After a failed poll: fetch the result anyway, or end the row when it is hopeless."""
    tries = look.row.tries + 1
    if look.row.is_ended:
        return
    is_alive = False
    if failed_looks.is_rescue_due(failure, tries) and (urls := _urls_if_any(look.row)):
        found = await failed_looks.fetch(urls)
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


async def _cancel(look: Look) -> None:
    """Ask fal to cancel. A failure is retried later and never keeps the row from its status and result."""
    try:
        answer = await connections.client().cancel(look.urls)
    except FalError as error:
        look.failed, look.asked_s = True, getattr(error, "retry_after_s", None)
        logger.info("The cancel of request %s failed: %s", look.row.pk, error)
        return
    await pool.in_database(
        lifecycle.note_cancel_answer, look.row.pk, answer.kind, now=timezone.now()
    )


async def _status(look: Look) -> StatusReport:
    asked_at = timezone.now()
    report = await _report(look.urls)
    await _observe(lifecycle.RowReport(look.row.pk, report, Source.POLL, asked_at))
    if not report.is_known:
        why = f"fal's status is {report.status[:80]!r}, which is new here."
        look.failed, look.failure = True, Failure(why, is_answered=True)
    return report


async def _report(urls: RequestUrls) -> StatusReport:
    try:
        return await connections.client().status(urls, logs=True)
    except TooLarge:  # the log is too large; the status itself is small
        return await connections.client().status(urls, logs=False)


async def _result(look: Look, report: StatusReport) -> None:
    asked_at = timezone.now()
    end = await results.fetch(look.row, look.urls, report)
    if end is None:
        look.failed = True
        return
    try:
        await _heard(look, end, asked_at)
    finally:
        if isinstance(end, Result):
            end.close()


async def _late_result(look: Look, report: StatusReport) -> None:
    """Fetch the result of a request that failed without one: it may have the reason or the output."""
    asked_at = timezone.now()
    with closing(completed_by(await connections.client().result(look.urls), report)) as result:
        await _heard(look, result, asked_at)


async def _refused(look: Look, error: Refused) -> None:
    """Handle a refused poll: fal does not know the id, or does not allow the call now."""
    look.failed, look.asked_s = True, error.retry_after_s
    if not error.is_gone:
        look.failure = failed_looks.of_fal(error)
    elif not look.row.is_ended:
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


_observe: GroupedCall[lifecycle.RowReport, lifecycle.Effect] = GroupedCall(
    lambda reports: lifecycle.observe_many(reports)
)


async def _heard(look: Look, news: News, asked_at: datetime) -> None:
    await pool.in_database(
        lifecycle.observe, look.row.pk, news, source=Source.POLL, asked_at=asked_at
    )


def _give_back_many(looks: Sequence[Look]) -> list[None]:
    """Release the leases and set the times of the next polls; ended rows need none."""
    now = timezone.now()
    rows = FalRequest.objects.only(*COLUMNS).in_bulk([look.row.pk for look in looks])
    open_rows = FalRequest.objects.filter(due_at__isnull=False).count()
    known = [(rows[look.row.pk], look) for look in looks if look.row.pk in rows]
    with transaction.atomic():
        lifecycle.release(*(_release(row, look, now, open_rows) for row, look in known))
    for look in looks:
        try:
            _tell_of_answers(look, now)
        except faults.DATABASE_AWAY:
            raise
        except Exception as error:  # the lease is released all the same
            faults.tell(
                logger, f"The outcome of the poll of request {look.row.pk} cannot be noted", error
            )
    return [None] * len(looks)


def _release(row: FalRequest, look: Look, now: datetime, open_rows: int) -> lifecycle.Release:
    return lifecycle.Release(row.pk, look.lease, _next(row, look, now, open_rows), look.failed)


_give_back = GroupedCall(_give_back_many)


def _tell_of_answers(look: Look, now: datetime) -> None:
    """Note once that fal has not answered for a while, and once that it answers again."""
    if look.failure and look.row.tries + 1 == UNANSWERED_BEFORE_TOLD:
        lifecycle.note_unanswered(look.row.pk, look.failure.why, now=now)
    elif not look.failed and look.row.tries:
        lifecycle.note_recovered(look.row.pk, now=now)


def _next(row: FalRequest, look: Look, now: datetime, open_rows: int) -> datetime | None:
    if row.is_ended and not (look.failed and row.tries < AFTERCARE_TRIES):
        return None
    if look.failed:
        return schedule.next_retry_at(now, row.tries + 1, asked_s=look.asked_s)
    if row.finished_at is not None:
        return now + timedelta(seconds=schedule.SOONEST_S)
    sent_at = row.sent_at or row.created_at
    return schedule.next_poll_at(
        now,
        sent_at=sent_at,
        watched_until=row.watched_until,
        open_rows=open_rows,
        polls_per_s=settings.POLLS_PER_S,
    )


def urls_of(row: FalRequest) -> RequestUrls:
    """Return the URLs fal gave, or built ones for a row whose id came from a webhook only."""
    if row.status_url and row.response_url and row.cancel_url:
        return RequestUrls(row.status_url, row.response_url, row.cancel_url)
    endpoint = EndpointId.parse(row.endpoint_id)
    return urls_for(hosts_from_settings(), endpoint, row.fal_request_id)
