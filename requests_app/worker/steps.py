"""One request's next step: send it, tell fal to cancel, look at its status, fetch its result."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from dashboard import logcontext
from requests_app import lifecycle
from requests_app.fal import (
    EndpointId,
    FalError,
    NotSent,
    NotTheResult,
    Refused,
    RequestUrls,
    Result,
    StatusReport,
    TooLarge,
    build_headers,
    build_query,
    urls_for,
)
from requests_app.models import AT_FAL, FalRequest, Mode, Source, Status
from requests_app.rules import schedule
from requests_app.rules.paid_result import completed_by
from requests_app.rules.transitions import Gone, News
from requests_app.upkeep.metrics import STEPS
from requests_app.webhooks.address import webhook_url
from requests_app.worker import (
    direct_calls,
    leases,
    lost_submits,
    results,
    status_stream,
    submit_gate,
)
from requests_app.worker.loop import hosts_from_settings, watch_loop

LOST_AFTER = timedelta(minutes=10)  # how long fal may deny knowing a request it took
UNANSWERED_BEFORE_TOLD = 3  # failed looks in a row: about seven seconds
# Denials in a row, with their back-off, before one more is believed; one alone means nothing.
DENIALS_BEFORE_LOST = 15  # about ten minutes
AFTERCARE_TRIES = 9  # failed looks at a request that has ended, with their back-off: six minutes
DENIALS_AFTER_CANCEL = 3  # seconds: fal took the cancellation and forgot the request

_COLUMNS = (
    "public_id", "mode", "status", "endpoint_id", "fal_request_id", "status_url", "response_url",
    "cancel_url", "cancel_asked_at", "cancel_answer", "sent_at", "created_at", "watched_until",
    "finished_at", "tries", "due_at", "leased_until", "error_type", "output_size", "payload_removed_at",
)  # fmt: skip


async def advance(pk: int) -> None:
    """Take the next step of this request, if one is due and nobody else is at it."""
    logcontext.row.set(pk)
    row = await watch_loop.database(_load, pk)
    if row is None or row.due_at is None or row.due_at > timezone.now():
        return
    if row.status == Status.PENDING:
        await _send(row)
    elif row.status == Status.SUBMITTING or (row.mode != Mode.QUEUE and not row.is_ended):
        if not leases.is_held(pk):
            await watch_loop.database(lifecycle.lapsed, pk, now=timezone.now())
    elif row.is_lost:
        with STEPS.labels("search").time():
            await lost_submits.look_for(row)
    elif row.status in AT_FAL or row.is_ended:
        with STEPS.labels("look").time():
            await _look(row)


def _load(pk: int) -> FalRequest | None:
    return FalRequest.objects.only(*_COLUMNS).filter(pk=pk).first()


# --- sending --------------------------------------------------------------------------------------


async def _send(row: FalRequest) -> None:
    if row.mode != Mode.QUEUE:
        if claim := await _claim(row.pk):
            await direct_calls.call(claim)
        return
    # First a free place, then the claim: its lease must not run out while it waits for a place.
    with STEPS.labels("submit").time():
        await _send_in_turn(row)


async def _send_in_turn(row: FalRequest) -> None:
    is_well = watch_loop.breaker().is_well
    async with watch_loop.submits.place(is_well), watch_loop.calls:
        if await submit_gate.is_shut(row.endpoint_id):
            return
        if claim := await _claim(row.pk):
            async with leases.kept(claim.pk, claim.lease):
                await _submit(claim)


async def _claim(pk: int) -> lifecycle.Claim | None:
    return await watch_loop.database(lifecycle.claim, pk, now=timezone.now())


async def _submit(claim: lifecycle.Claim) -> None:
    """One POST. Whatever is not a clear yes or no leaves the row uncertain, never sent again."""
    asked_at = timezone.now()
    try:
        leases.check_ours(claim)
        with watch_loop.breaker().listening():
            receipt = await watch_loop.client().submit(
                EndpointId.parse(claim.endpoint_id),
                claim.body,
                build_headers(claim.options),
                query=build_query(claim.options),
                webhook_url=webhook_url(claim.public_id, claim.webhook_secret),
            )
        await watch_loop.insist(
            lifecycle.observe, claim.pk, receipt, source=Source.SUBMIT_REPLY, asked_at=asked_at
        )
    except NotSent as error:
        await watch_loop.insist(
            lifecycle.not_sent, claim.pk, error, lease=claim.lease, now=timezone.now()
        )
    except Refused as error:
        await watch_loop.insist(
            lifecycle.refused, claim.pk, error, lease=claim.lease, now=timezone.now()
        )
    except FalError as error:
        await _uncertain(claim.pk, str(error))
    except IntegrityError:
        await _uncertain(claim.pk, "fal answered with the id of another request.")
    except asyncio.CancelledError:
        await _uncertain(claim.pk, "this program was stopped before fal answered.")
        raise


async def _uncertain(pk: int, reason: str) -> None:
    await watch_loop.insist(lifecycle.uncertain, pk, reason, now=timezone.now())


# --- looking --------------------------------------------------------------------------------------


@dataclass
class Look:
    """A leased row and what the look at it has brought so far."""

    row: FalRequest
    lease: UUID
    urls: RequestUrls
    failed: bool = False
    why: str = ""  # a sentence, when fal could not be asked
    asked_s: float | None = None  # how long fal wants us to wait


async def _look(row: FalRequest) -> None:
    pk = row.pk
    async with watch_loop.calls:  # before the lease, which must not run out while we wait
        if await submit_gate.is_shut(row.endpoint_id):
            return
        look = await watch_loop.database(_take, pk)
        if look is None:
            return
        try:
            async with leases.kept(pk, look.lease):
                await _ask(look)
        finally:
            await watch_loop.database(_give_back, look)
    status_stream.end_unwanted(look.row)
    if not look.row.is_ended and status_stream.is_wanted(look.row):
        status_stream.begin(pk, look.urls)


def _take(pk: int) -> Look | None:
    lease = FalRequest.objects.lease(pk, timezone.now(), lifecycle.LEASE)
    if lease is None:
        return None
    row = FalRequest.objects.only(*_COLUMNS).get(pk=pk)
    return Look(row, lease, urls_of(row))


async def _ask(look: Look) -> None:
    row = look.row
    try:
        with watch_loop.breaker().listening():
            if row.is_cancelling and not row.cancel_answer:
                await _cancel(look)
            report = await _status(look)
            if report.is_completed and not row.is_ended:
                await _result(look, report)
            elif report.is_completed and lifecycle.lacks_output(row):
                await _late_result(look, report)
        # A webhook may be ahead of the status, which then has no logs and metrics to give yet.
        look.failed = look.failed or (row.is_ended and not report.is_completed)
    except NotTheResult:  # told of already
        look.failed = True
    except Refused as error:
        await _refused(look, error)
    except FalError as error:
        look.failed, look.why = True, str(error)


async def _cancel(look: Look) -> None:
    answer = await watch_loop.client().cancel(look.urls)
    await watch_loop.database(
        lifecycle.cancel_answered, look.row.pk, answer.kind, now=timezone.now()
    )


async def _status(look: Look) -> StatusReport:
    asked_at = timezone.now()
    report = await _report(look.urls)
    await _heard(look, report, asked_at)
    if not report.is_known:
        look.failed, look.why = True, f"fal's status is {report.status[:80]!r}, which is new here."
    return report


async def _report(urls: RequestUrls) -> StatusReport:
    try:
        return await watch_loop.client().status(urls, logs=True)
    except TooLarge:  # the log; the status itself is small
        return await watch_loop.client().status(urls, logs=False)


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
    """Of a request that failed without an answer of fal's: it may have the reason, or the output."""
    asked_at = timezone.now()
    with closing(completed_by(await watch_loop.client().result(look.urls), report)) as result:
        await _heard(look, result, asked_at)


async def _refused(look: Look, error: Refused) -> None:
    """fal does not know the id, or does not let us ask now."""
    look.failed, look.asked_s = True, error.retry_after_s
    if not error.is_gone:
        look.why = str(error)
    elif not look.row.is_ended:
        now = timezone.now()
        denials = await watch_loop.database(lifecycle.denied, look.row.pk, "request", now=now)
        if _is_lost(look.row, denials, now):
            await _heard(look, Gone("request"), now)


def _is_lost(row: FalRequest, denials: int, now: datetime) -> bool:
    """Whether fal has denied the request often enough to be believed."""
    if row.cancel_answer in ("requested", "removed"):
        return denials > DENIALS_AFTER_CANCEL
    is_old = row.sent_at is None or now - row.sent_at > LOST_AFTER
    return is_old and denials > DENIALS_BEFORE_LOST


async def _heard(look: Look, news: News, asked_at: datetime) -> None:
    await watch_loop.database(
        lifecycle.observe, look.row.pk, news, source=Source.POLL, asked_at=asked_at
    )


def _give_back(look: Look) -> None:
    """Release the lease with the time of the next look; ended rows need none."""
    now = timezone.now()
    _tell_of_answers(look, now)
    row = FalRequest.objects.only(*_COLUMNS).get(pk=look.row.pk)
    lifecycle.release(row.pk, look.lease, _next(row, look, now), failed=look.failed)


def _tell_of_answers(look: Look, now: datetime) -> None:
    """Once when fal has not answered for a while, and once when it does again."""
    if look.why and look.row.tries + 1 == UNANSWERED_BEFORE_TOLD:
        lifecycle.unanswered(look.row.pk, look.why, now=now)
    elif not look.failed and look.row.tries:
        lifecycle.answered(look.row.pk, now=now)


def _next(row: FalRequest, look: Look, now: datetime) -> datetime | None:
    if row.is_ended and not (look.failed and row.tries < AFTERCARE_TRIES):
        return None
    if look.failed:
        return schedule.next_try(now, row.tries + 1, asked_s=look.asked_s)
    if row.finished_at is not None:
        return now + timedelta(seconds=schedule.SOONEST_S)
    open_rows = FalRequest.objects.filter(due_at__isnull=False).count()
    return schedule.next_look(
        schedule.Pace(now, row.sent_at or row.created_at, row.watched_until, open_rows)
    )


def urls_of(row: FalRequest) -> RequestUrls:
    """The URLs fal returned; a row that only a webhook made known has them built."""
    if row.status_url and row.response_url and row.cancel_url:
        return RequestUrls(row.status_url, row.response_url, row.cancel_url)
    endpoint = EndpointId.parse(row.endpoint_id)
    return urls_for(hosts_from_settings(), endpoint, row.fal_request_id)
