"""Run and stream: the call lasts as long as the work, so this process holds it and records it.

Hanging up cancels the work at fal. So nothing but a person's cancel, the time limit or the end of
the process closes the call; tabs only read the record.
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
from requests_app.rules.transitions import Ended, News
from requests_app.worker import faults
from requests_app.worker.leases import check_ours, holding, keep
from requests_app.worker.loop import watch_loop

logger = logging.getLogger(__name__)

SLACK_S = 5  # the client's own limit comes later, so that ours says which one was reached


async def call(claim: lifecycle.Claim) -> None:
    """Make the call once, hold it to its end, store how it ended."""
    outcome = StreamOutcome()  # of a run there is none: its reply is its result
    work = asyncio.create_task(_made(claim, outcome))
    keeper = asyncio.create_task(keep(claim))
    with holding(claim.pk):
        try:
            await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also when this process ends: hang up in order, with every frame on disk
            keeper.cancel()
            work.cancel()
            await asyncio.gather(keeper, work, return_exceptions=True)
    if not work.cancelled():
        work.result()  # an unexpected failure belongs in the log
    elif not keeper.cancelled() and keeper.result():
        sentence = "We hung up as asked; fal cancels a direct call when the caller leaves."
        await _ended(claim, Ended(Status.CANCELLED, "", sentence, came=outcome.came))


async def _made(claim: lifecycle.Claim, outcome: StreamOutcome) -> None:
    try:
        await (_run(claim) if claim.mode == Mode.RUN else _stream(claim, outcome))
    except NotSent as error:
        await watch_loop.insist(
            lifecycle.not_sent, claim.pk, error, lease=claim.lease, now=timezone.now()
        )
    except Refused as error:
        await watch_loop.insist(
            lifecycle.refused, claim.pk, error, lease=claim.lease, now=timezone.now()
        )
    except NotAStream as reply:
        with closing(reply.result):
            await _ended(claim, judge_reply(reply.result))
    except TimeoutError:
        await _ended(claim, outcome.broken_off(_timed_out(claim)))
    except FalError as error:
        await _ended(claim, outcome.broken_off(_broken_off(claim, error)))
    except (InvalidEndpointId, InvalidHeader) as error:  # stored before a rule became stricter
        await watch_loop.insist(
            lifecycle.unsendable, claim.pk, str(error), lease=claim.lease, now=timezone.now()
        )
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        await _unprocessed(claim, error)


async def _unprocessed(
    claim: lifecycle.Claim, error: Exception, result: Result | None = None
) -> None:
    """Something nothing expected: the row fails by name, and says that the work may be billed."""
    faults.tell(logger, f"The call of request {claim.pk} failed", error)
    why = (
        f"fal's answer cannot be processed here ({faults.describe(error)}). "
        "Work that was done may be billed."
    )
    await watch_loop.insist(lifecycle.unprocessed, claim.pk, why, now=timezone.now(), result=result)


def _timed_out(claim: lifecycle.Claim) -> Ended:
    limit_s = settings.RUN_TIMEOUT_S if claim.mode == Mode.RUN else settings.STREAM_TIMEOUT_S
    sentence = (
        f"No end within {limit_s} s: we hung up, and fal then ends the work. "
        "Work done until then may be billed."
    )
    return Ended(Status.FAILED, ErrorType.HUNG_UP, sentence)


def _broken_off(claim: lifecycle.Claim, error: FalError) -> Ended:
    """No answer that can be used. A redirect is one all the same: it says to look elsewhere."""
    code = error.status_code if isinstance(error, Unanswered) else None
    if isinstance(error, Unanswered) and error.is_redirect:
        return Ended(
            Status.FAILED, ErrorType.REDIRECTED, f"{error} The input was sent nowhere else."
        )
    if isinstance(error, TooLarge):
        is_event = isinstance(error, TooLargeEvent)
        kind = ErrorType.EVENT_TOO_LARGE if is_event else ErrorType.OUTPUT_TOO_LARGE
        return Ended(Status.FAILED, kind, f"{error} We hung up; the work may be billed.")
    if code is not None:  # something came, and no connection broke
        kind = ErrorType.GATEWAY_ERROR if code >= 400 else ErrorType.UNREADABLE
        return Ended(Status.FAILED, kind, f"{error} Work that was done may be billed.")
    sentence = f"The call broke off: {error} Work done until then may be billed."
    return Ended(Status.FAILED, ErrorType.INTERRUPTED, sentence)


async def _run(claim: lifecycle.Claim) -> None:
    await watch_loop.database(lifecycle.opened, claim.pk, None, now=timezone.now())
    check_ours(claim)
    async with asyncio.timeout(settings.RUN_TIMEOUT_S):
        result = await watch_loop.client().run(
            EndpointId.parse(claim.endpoint_id),
            claim.body,
            build_headers(claim.options),
            timeout_s=settings.RUN_TIMEOUT_S + SLACK_S,
        )
    with closing(result):
        await _ended(claim, result)


async def _stream(claim: lifecycle.Claim, outcome: StreamOutcome) -> None:
    check_ours(claim)
    recorder = Recorder(claim.pk, watch_loop.database)
    try:
        async with asyncio.timeout(settings.STREAM_TIMEOUT_S):
            await _read(claim, recorder, outcome)
    finally:
        await recorder.close()
    await _ended(claim, outcome.end())


async def _read(claim: lifecycle.Claim, recorder: Recorder, outcome: StreamOutcome) -> None:
    """Read the stream to its end, record and judge each event."""
    opening = watch_loop.client().stream(
        EndpointId.parse(claim.endpoint_id), claim.body, build_headers(claim.options)
    )
    async with opening as stream:
        opened = asyncio.create_task(
            watch_loop.insist(lifecycle.opened, claim.pk, stream.request_id, now=timezone.now())
        )
        try:  # reading waits for nothing else: what is not read when the line breaks is lost
            async for events in stream.batches:
                recorder.add_events(events, outcome.take(events))
                await recorder.room()
        finally:
            if half := stream.half():
                recorder.add_events(half, outcome.take(half))
            await opened


async def _ended(claim: lifecycle.Claim, news: Result | Ended) -> None:
    heard: News = news
    try:
        await watch_loop.insist(
            lifecycle.observe, claim.pk, heard, source=Source.STREAM, asked_at=timezone.now()
        )
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:  # it cannot be had again: the bytes are kept, if nothing else
        await _unprocessed(claim, error, news if isinstance(news, Result) else None)
