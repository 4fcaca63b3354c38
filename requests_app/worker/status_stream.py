"""The status stream of a request somebody looks at: news within moments, beside the polling."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import FalError, RequestUrls
from requests_app.models import AT_FAL, FalRequest, Source
from requests_app.worker import faults
from requests_app.worker.loop import watch_loop

AT_MOST = 200  # streams at the same time; everything else is polled

logger = logging.getLogger(__name__)
_followed: dict[int, asyncio.Task[object]] = {}  # only the loop's thread touches it
_broken: set[int] = set()  # those that failed here: not followed again


def is_wanted(row: FalRequest) -> bool:
    """Whether this queued or running request is followed, by a page, a list or a program."""
    is_free = row.pk not in _followed and row.pk not in _broken
    return _is_watched(row) and row.status in AT_FAL and is_free


def _is_watched(row: FalRequest) -> bool:
    return row.watched_until is not None and row.watched_until > timezone.now()


def end_unwanted(row: FalRequest) -> None:
    """Hang up when nothing follows the request any more: others wait for the place."""
    stream = _followed.get(row.pk)
    if stream is not None and not _is_watched(row):
        stream.cancel()


def begin(pk: int, urls: RequestUrls) -> None:
    """Follow it until it completes; call it on the loop."""
    if len(_followed) < AT_MOST:
        # By call-back: a task that is cancelled before its first step never reaches a `finally`.
        _followed[pk] = watch_loop.start(_follow(pk, urls))
        _followed[pk].add_done_callback(lambda _: _followed.pop(pk, None))


async def _follow(pk: int, urls: RequestUrls) -> None:
    try:
        async with aclosing(watch_loop.client().follow_status(urls)) as reports:
            async for report in reports:
                await watch_loop.database(
                    lifecycle.observe,
                    pk,
                    report,
                    source=Source.STATUS_STREAM,
                    asked_at=timezone.now(),
                )
                if report.is_completed:
                    await watch_loop.database(lifecycle.make_due, pk, now=timezone.now())
    except FalError as error:
        logger.info("The status stream of request %s ended: %s", pk, error)
    except Exception as error:  # polling tells, and counts, what cannot be taken in
        _broken.add(pk)
        faults.tell(logger, f"The status stream of request {pk} failed", error)
