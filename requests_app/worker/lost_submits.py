"""Search fal's list of finished requests for a submit that got no clear answer.

Only GETs are sent. An empty search proves nothing, for the list lacks requests that wait or run: the row
stays uncertain and is searched for again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import EndpointId, FalError, Refused, Unanswered, Window
from requests_app.keys import Key, key_of
from requests_app.models import FalRequest
from requests_app.rules import schedule
from requests_app.rules.lost_submit import SLACK, LostSubmit, candidates
from requests_app.worker import failed_looks, faults, leases
from requests_app.worker.loop import connections, pool

logger = logging.getLogger(__name__)

REFUSED_AGAIN = timedelta(hours=1)  # a key without permission for the list seldom gets it
UNANSWERED_BEFORE_TOLD = 3  # failed searches in a row


@dataclass
class _Search:
    """A leased row, and the earliest time of the next search that fal or its refusal allows."""

    row: FalRequest
    lease: UUID
    lost: LostSubmit
    key: Key
    failed: bool = False
    not_before: datetime | None = None


async def look_for(row: FalRequest) -> None:
    """Read fal's list once for this row."""
    async with connections.lists:  # before the lease, which must not expire while this waits
        search = await pool.in_database(_take, row.pk)
        if search is None:
            return
        try:
            with leases.renewing(row.pk, search.lease):
                await _read(search)
        except asyncio.CancelledError:  # this process stops: the list was not read
            search.failed = True
            raise
        finally:
            await pool.in_database(_give_back, search)


def _take(pk: int) -> _Search | None:
    lost = FalRequest.objects.lost().filter(sent_at__isnull=False)
    with transaction.atomic():  # one transaction: a row that cannot be read is not leased either
        lease = lost.take_lease(pk, timezone.now(), lifecycle.LEASE)
        if lease is None:
            return None
        row = FalRequest.objects.only(
            "endpoint_id", "input_text", "sent_at", "tries", "fal_key_id"
        ).get(pk=pk)
        if row.sent_at is None:
            raise RuntimeError("The row is uncertain, but has no time at which it was sent.")
        lost_submit = LostSubmit(row.endpoint_id, json.loads(row.input_text), row.sent_at)
        return _Search(row, lease, lost_submit, key_of(row.fal_key_id))


async def _read(search: _Search) -> None:
    lost, now = search.lost, timezone.now()
    window = Window(EndpointId.parse(lost.endpoint_id), lost.earliest, now + SLACK)
    try:
        found = [
            candidate
            async for one in connections.client(search.key).finished(window)
            for candidate in candidates(lost, [one])
        ]
        await pool.in_database(lifecycle.match_lost_submit, search.row.pk, lost, found, now=now)
    except FalError as error:
        failed_looks.count(error)
        await _failed(search, error)
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        faults.tell(logger, f"The search for request {search.row.pk} failed", error)
        failed_looks.count(error)
        await _failed(search, Unanswered(f"it cannot be processed here: {faults.describe(error)}."))


async def _failed(search: _Search, error: FalError) -> None:
    search.failed, now = True, timezone.now()
    is_no = isinstance(error, Refused) and not error.is_rate_limit
    if isinstance(error, Refused):
        wait_s = error.retry_after_s or 0
        search.not_before = now + (REFUSED_AGAIN if is_no else timedelta(seconds=wait_s))
    if is_no or search.row.tries + 1 == UNANSWERED_BEFORE_TOLD:
        await pool.in_database(lifecycle.note_list_unreadable, search.row.pk, error, now=now)


def _give_back(search: _Search) -> None:
    """Release the lease and set the next search; a row that was found is polled at once."""
    now, pk = timezone.now(), search.row.pk
    is_lost = FalRequest.objects.lost().filter(pk=pk).exists()
    due_at = _next(search, now) if is_lost else now
    lifecycle.release(lifecycle.Release(pk, search.lease, due_at, search.failed))


def _next(search: _Search, now: datetime) -> datetime | None:
    lost = FalRequest.objects.lost().filter(due_at__isnull=False)
    due_at = schedule.next_search_at(now, search.lost.sent_at, lost.count())
    if due_at is None or search.not_before is None:
        return due_at
    return max(due_at, search.not_before)
