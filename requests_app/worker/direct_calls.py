"""Modes run and stream: one HTTP call lasts as long as the work, and this process records it.

Closing the connection cancels the work at fal. So only a user's cancel, the time limit or the end of
this process closes it; browser tabs only read the record.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing

from django.conf import settings
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    EndpointId,
    FalError,
    InvalidEndpointId,
    InvalidHeader,
    NotAStream,
    NotSent,
    Refused,
    Result,
    TooLarge,
    TooLargeEvent,
    Unanswered,
    build_headers,
)
from requests_app.models import ErrorType, Mode, Source, Status
from requests_app.record.recorder import Recorder
from requests_app.rules.stream_outcome import StreamOutcome
from requests_app.rules.stream_reply import judge_reply
from requests_app.rules.transitions import CallEnded, News
from requests_app.worker import faults, row_keys
from requests_app.worker.leases import ensure_not_expired, held_here, renew_until_stopped
from requests_app.worker.loop import connections, pool

logger = logging.getLogger(__name__)

SLACK_S = 5  # the HTTP client's limit comes later, so that our sentence names the limit


async def call(attempt: lifecycle.Attempt) -> None:
    """Make the call once, renew its lease while it lasts, store how it ended."""
    outcome = StreamOutcome()  # stays empty for a run, whose reply is its result
    storing = (
        asyncio.Event()
    )  # fal's answer is here and is being stored: there is nothing to hang up
    work = asyncio.create_task(_made(attempt, outcome, storing))
    renewal = asyncio.create_task(renew_until_stopped(attempt))
    with held_here(attempt.pk):
        try:
            await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also when this process stops: close the connection with every frame stored
            renewal.cancel()
            if not storing.is_set():
                work.cancel()
            await asyncio.gather(renewal, work, return_exceptions=True)
    if not work.cancelled():
        work.result()  # raises an unexpected failure, so that it is logged
    elif not renewal.cancelled() and renewal.result():
        sentence = "We hung up as asked; fal cancels a direct call when the caller leaves."
        await _ended(attempt, CallEnded(Status.CANCELLED, "", sentence, came=outcome.came))


async def _made(attempt: lifecycle.Attempt, outcome: StreamOutcome, storing: asyncio.Event) -> None:
    try:
        await row_keys.note(attempt.key)
        if attempt.mode == Mode.RUN:
            await _run(attempt, storing)
        else:
            await _stream(attempt, outcome, storing)
    except NotSent as error:
        await pool.in_database_with_retry(
            lifecycle.note_not_sent, attempt.pk, error, lease=attempt.lease, now=timezone.now()
        )
    except Refused as error:
        await pool.in_database_with_retry(
            lifecycle.note_refused, attempt.pk, error, lease=attempt.lease, now=timezone.now()
        )
        await row_keys.note(attempt.key, error)
    except NotAStream as reply:
        with closing(reply.result):
            await _ended(attempt, judge_reply(reply.result), storing)
    except TimeoutError:
        await _ended(attempt, outcome.broken_off(_timed_out(attempt)), storing)
    except FalError as error:
        await _ended(attempt, outcome.broken_off(_broken_off(attempt, error)), storing)
    except (InvalidEndpointId, InvalidHeader) as error:  # stored before a rule became stricter
        await pool.in_database_with_retry(
            lifecycle.fail_unsendable,
            attempt.pk,
            str(error),
            lease=attempt.lease,
            now=timezone.now(),
        )
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        await _unprocessed(attempt, error)


async def _unprocessed(
    attempt: lifecycle.Attempt, error: Exception, result: Result | None = None
) -> None:
    """End the row after an unexpected exception, and say that the work may be billed."""
    faults.tell(logger, f"The call of request {attempt.pk} failed", error)
    why = (
        f"fal's answer cannot be processed here ({faults.describe(error)}). "
        "Work that was done may be billed."
    )
    await pool.in_database_with_retry(
        lifecycle.fail_unprocessed, attempt.pk, why, now=timezone.now(), result=result
    )


def _timed_out(attempt: lifecycle.Attempt) -> CallEnded:
    limit_s = settings.RUN_TIMEOUT_S if attempt.mode == Mode.RUN else settings.STREAM_TIMEOUT_S
    sentence = (
        f"No end within {limit_s} s: we hung up, and fal then ends the work. "
        "Work done until then may be billed."
    )
    return CallEnded(Status.FAILED, ErrorType.HUNG_UP, sentence)


def _broken_off(attempt: lifecycle.Attempt, error: FalError) -> CallEnded:
    """Describe a call without a usable answer; a redirect is told apart from a broken connection."""
    code = error.status_code if isinstance(error, Unanswered) else None
    if isinstance(error, Unanswered) and error.is_redirect:
        return CallEnded(
            Status.FAILED, ErrorType.REDIRECTED, f"{error} The input was sent nowhere else."
        )
    if isinstance(error, TooLarge):
        is_event = isinstance(error, TooLargeEvent)
        kind = ErrorType.EVENT_TOO_LARGE if is_event else ErrorType.OUTPUT_TOO_LARGE
        return CallEnded(Status.FAILED, kind, f"{error} We hung up; the work may be billed.")
    if code is not None:  # an answer came, so the connection did not break
        kind = ErrorType.GATEWAY_ERROR if code >= 400 else ErrorType.UNREADABLE
        return CallEnded(Status.FAILED, kind, f"{error} Work that was done may be billed.")
    sentence = f"The call broke off: {error} Work done until then may be billed."
    return CallEnded(Status.FAILED, ErrorType.INTERRUPTED, sentence)


async def _run(attempt: lifecycle.Attempt, storing: asyncio.Event) -> None:
    await pool.in_database(lifecycle.note_opened, attempt.pk, None, now=timezone.now())
    ensure_not_expired(attempt)
    async with asyncio.timeout(settings.RUN_TIMEOUT_S):
        result = await connections.client(attempt.key).run(
            EndpointId.parse(attempt.endpoint_id),
            attempt.body,
            build_headers(attempt.options),
            timeout_s=settings.RUN_TIMEOUT_S + SLACK_S,
        )
    with closing(result):
        await _ended(attempt, result, storing)


async def _stream(
    attempt: lifecycle.Attempt, outcome: StreamOutcome, storing: asyncio.Event
) -> None:
    ensure_not_expired(attempt)
    recorder = Recorder(attempt.pk, pool.in_database)
    try:
        async with asyncio.timeout(settings.STREAM_TIMEOUT_S):
            await _read(attempt, recorder, outcome)
    finally:
        await recorder.close()
    await _ended(attempt, outcome.end(), storing)


async def _read(attempt: lifecycle.Attempt, recorder: Recorder, outcome: StreamOutcome) -> None:
    """Read the stream to its end; record and classify each event."""
    opening = connections.client(attempt.key).stream(
        EndpointId.parse(attempt.endpoint_id), attempt.body, build_headers(attempt.options)
    )
    async with opening as stream:
        opened = asyncio.create_task(
            pool.in_database_with_retry(
                lifecycle.note_opened, attempt.pk, stream.request_id, now=timezone.now()
            )
        )
        try:  # never delay reading: unread events are lost when the connection breaks
            async for events in stream.batches:
                recorder.add_events(events, outcome.take(events))
                await recorder.room()
        finally:
            if half := stream.half():
                recorder.add_events(half, outcome.take(half))
            await opened


async def _ended(
    attempt: lifecycle.Attempt, news: Result | CallEnded, storing: asyncio.Event | None = None
) -> None:
    """Store the end. `storing` is set before, so that nothing interrupts it: the answer is paid for."""
    if storing:
        storing.set()
    heard: News = news
    try:
        await pool.in_database_with_retry(
            lifecycle.observe, attempt.pk, heard, source=Source.STREAM, asked_at=timezone.now()
        )
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:  # the answer cannot be fetched again: keep at least its bytes
        await _unprocessed(attempt, error, news if isinstance(news, Result) else news.came)
