"""One request's next step: send it, tell fal to cancel, look at its status, fetch its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from requests_app import lifecycle, pace
from requests_app.deliveries import webhook_url
from requests_app.fal import (
    EndpointId,
    FalError,
    NotFinished,
    NotSent,
    Refused,
    RequestUrls,
    Result,
    build_headers,
    urls_for,
)
from requests_app.models import AT_FAL, FalRequest, Mode, Source, Status
from requests_app.transitions import Gone
from requests_app.watch import direct, follow
from requests_app.watch.loop import hosts_from_settings, watch_loop

LOOK_LEASE = timedelta(seconds=100)  # longer than cancel, status and result together
LOST_AFTER = timedelta(minutes=10)  # how long fal may deny knowing a request it took

_COLUMNS = (
    "public_id", "mode", "status", "endpoint_id", "fal_request_id", "status_url", "response_url",
    "cancel_url", "cancel_asked_at", "cancel_answer", "sent_at", "created_at", "watched_until",
    "finished_at", "tries", "due_at", "leased_until",
)  # fmt: skip


async def advance(pk: int) -> None:
    """Take the next step of this request, if one is due and nobody else is at it."""
    row = await watch_loop.database(_load, pk)
    if row is None or row.due_at is None or row.due_at > timezone.now():
        return
    if row.status == Status.PENDING:
        await _send(pk)
    elif row.status == Status.SUBMITTING or (row.mode != Mode.QUEUE and not row.is_ended):
        await watch_loop.database(lifecycle.lapsed, pk, now=timezone.now())
    elif row.status in AT_FAL or row.is_ended:
        await _look(pk)


def _load(pk: int) -> FalRequest | None:
    return FalRequest.objects.only(*_COLUMNS).filter(pk=pk).first()


# --- sending --------------------------------------------------------------------------------------


async def _send(pk: int) -> None:
    claim = await watch_loop.database(lifecycle.claim, pk, now=timezone.now())
    if claim is None:
        return
    if claim.mode == Mode.QUEUE:
        async with watch_loop.calls:
            await _submit(claim)
    else:
        await direct.call(claim)


async def _submit(claim: lifecycle.Claim) -> None:
    """One POST. Whatever is not a clear yes or no leaves the row uncertain, never sent again."""
    asked_at = timezone.now()
    try:
        receipt = await watch_loop.client().submit(
            EndpointId.parse(claim.endpoint_id),
            claim.body,
            build_headers(claim.options),
            webhook_url=webhook_url(claim.public_id, claim.webhook_secret),
        )
        await watch_loop.database(
            lifecycle.observe, claim.pk, receipt, source=Source.SUBMIT_REPLY, asked_at=asked_at
        )
    except NotSent as error:
        await watch_loop.database(lifecycle.not_sent, claim.pk, error, now=timezone.now())
    except Refused as error:
        await watch_loop.database(lifecycle.refused, claim.pk, error, now=timezone.now())
    except FalError as error:
        await _uncertain(claim.pk, str(error))
    except IntegrityError:
        await _uncertain(claim.pk, "fal answered with the id of another request.")


async def _uncertain(pk: int, reason: str) -> None:
    await watch_loop.database(lifecycle.uncertain, pk, reason, now=timezone.now())


# --- looking --------------------------------------------------------------------------------------


@dataclass
class Look:
    """A leased row and what the look at it has brought so far."""

    row: FalRequest
    lease: UUID
    urls: RequestUrls
    failed: bool = False
    asked_s: float | None = None  # how long fal wants us to wait


async def _look(pk: int) -> None:
    now = timezone.now()
    lease = await watch_loop.database(FalRequest.objects.lease, pk, now, LOOK_LEASE)
    if lease is None:
        return
    row = await watch_loop.database(FalRequest.objects.only(*_COLUMNS).get, pk=pk)
    look = Look(row, lease, urls_of(row))
    try:
        async with watch_loop.calls:
            await _ask(look)
    finally:
        await watch_loop.database(_give_back, look)
    if not row.is_ended and follow.is_wanted(row):
        follow.begin(pk, look.urls)


async def _ask(look: Look) -> None:
    row = look.row
    try:
        if row.is_cancelling and not row.cancel_answer:
            await _cancel(look)
        finished = await _status(look)
        if finished and not row.is_ended:
            await _result(look)
    except Refused as error:
        await _refused(look, error)
    except FalError:
        look.failed = True


async def _cancel(look: Look) -> None:
    answer = await watch_loop.client().cancel(look.urls)
    await watch_loop.database(
        lifecycle.cancel_answered, look.row.pk, answer.kind, now=timezone.now()
    )


async def _status(look: Look) -> bool:
    asked_at = timezone.now()
    report = await watch_loop.client().status(look.urls, logs=True)
    await watch_loop.database(
        lifecycle.observe, look.row.pk, report, source=Source.POLL, asked_at=asked_at
    )
    return report.is_completed


async def _result(look: Look) -> None:
    asked_at = timezone.now()
    result: Result | Gone
    try:
        result = await watch_loop.client().result(look.urls)
    except NotFinished:
        look.failed = True  # the status was ahead of the result; ask again soon
        return
    except Refused as error:
        if not error.is_gone:
            raise
        result = Gone("result")
    await watch_loop.database(
        lifecycle.observe, look.row.pk, result, source=Source.POLL, asked_at=asked_at
    )


async def _refused(look: Look, error: Refused) -> None:
    """fal does not know the id, or does not let us ask now."""
    look.failed, look.asked_s = True, error.retry_after_s
    row = look.row
    if not error.is_gone or row.is_ended:
        return
    lost = row.sent_at is None or timezone.now() - row.sent_at > LOST_AFTER
    if lost or row.cancel_asked_at is not None:
        await watch_loop.database(
            lifecycle.observe,
            row.pk,
            Gone("request"),
            source=Source.POLL,
            asked_at=timezone.now(),
        )


def _give_back(look: Look) -> None:
    """Release the lease with the time of the next look; ended rows need none."""
    now = timezone.now()
    row = FalRequest.objects.only(*_COLUMNS).get(pk=look.row.pk)
    lifecycle.release(row.pk, look.lease, _next(row, look, now), failed=look.failed)


def _next(row: FalRequest, look: Look, now: datetime) -> datetime | None:
    if row.is_ended and not (look.failed and row.tries < 3):
        return None
    if look.failed:
        return pace.next_try(now, row.tries + 1, asked_s=look.asked_s)
    if row.finished_at is not None:
        return now + timedelta(seconds=pace.SOONEST_S)
    open_rows = FalRequest.objects.filter(status__in=AT_FAL).count()
    return pace.next_look(
        pace.Pace(now, row.sent_at or row.created_at, row.watched_until, open_rows)
    )


def urls_of(row: FalRequest) -> RequestUrls:
    """The URLs fal returned; a row that only a webhook made known has them built."""
    if row.status_url and row.response_url and row.cancel_url:
        return RequestUrls(row.status_url, row.response_url, row.cancel_url)
    endpoint = EndpointId.parse(row.endpoint_id)
    return urls_for(hosts_from_settings(), endpoint, row.fal_request_id)
