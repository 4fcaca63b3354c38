"""Status streams of watched requests: news within moments, in addition to polling."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import FalError, RequestUrls
from requests_app.keys import Key
from requests_app.models import AT_FAL, FalRequest, Source
from requests_app.worker import faults
from requests_app.worker.loop import connections, pool, worker_loop

AT_MOST = 200  # concurrent streams; all other requests are only polled

logger = logging.getLogger(__name__)
_followed: dict[int, asyncio.Task[object]] = {}  # used only on the worker loop's thread
_broken: set[int] = set()  # rows whose stream raised an exception here: not followed again


def is_wanted(row: FalRequest) -> bool:
    """Return whether a status stream should be opened for this queued or running request."""
    is_free = row.pk not in _followed and row.pk not in _broken
    return _is_watched(row) and row.status in AT_FAL and is_free


def _is_watched(row: FalRequest) -> bool:
    return row.watched_until is not None and row.watched_until > timezone.now()


def end_unwanted(row: FalRequest) -> None:
    """Close the stream when the request is no longer watched: the number of streams is limited."""
    stream = _followed.get(row.pk)
    if stream is not None and not _is_watched(row):
        stream.cancel()


def begin(pk: int, urls: RequestUrls, key: Key) -> None:
    """Follow the request until it completes. Call this on the worker loop."""
    if len(_followed) < AT_MOST:
        # A callback, not `finally`: a task that is cancelled before its first step never reaches one.
        _followed[pk] = worker_loop.start(_follow(pk, urls, key))
        _followed[pk].add_done_callback(lambda _: _followed.pop(pk, None))


async def _follow(pk: int, urls: RequestUrls, key: Key) -> None:
    try:
        async with aclosing(connections.client(key).follow_status(urls)) as reports:
            async for report in reports:
                await pool.in_database(
                    lifecycle.observe,
                    pk,
                    report,
                    source=Source.STATUS_STREAM,
                    asked_at=timezone.now(),
                )
                if report.is_completed:
                    await pool.in_database(lifecycle.make_due, pk, now=timezone.now())
    except FalError as error:
        logger.info("The status stream of request %s ended: %s", pk, error)
    except faults.DATABASE_AWAY as error:  # no fault of this row's stream
        logger.info("The status stream of request %s ended: %s", pk, faults.describe(error))
    except Exception as error:  # polling reports and counts what cannot be processed
        _broken.add(pk)
        faults.tell(logger, f"The status stream of request {pk} failed", error)
