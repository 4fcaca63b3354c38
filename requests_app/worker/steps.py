"""Take one request's next step: send it, search for it, or poll it."""

from __future__ import annotations

import logging

from django.utils import timezone

from dashboard import logcontext
from requests_app import lifecycle
from requests_app.models import AT_FAL, FalRequest, Mode, Status
from requests_app.upkeep.metrics import STEPS
from requests_app.worker import (
    direct_calls,
    failed_looks,
    faults,
    leases,
    lost_submits,
    polls,
    probe,
    row_keys,
    submits,
)
from requests_app.worker.group_calls import GroupedCall
from requests_app.worker.loop import connections, pool

logger = logging.getLogger(__name__)

# What decides which step is next. The step itself loads the rest together with its lease.
ROUTE = (
    "mode", "status", "endpoint_id", "fal_request_id", "error_type", "due_at", "team_id", "fal_key_id",
    "origin",
)  # fmt: skip


async def advance(request: int | FalRequest) -> None:
    """Take the next step of this request, if one is due and no other worker has the lease.

    Given as its key, or as the row with `ROUTE` as it is at this moment.
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
            await polls.poll(row)


def _load(pk: int) -> FalRequest | None:
    return FalRequest.objects.only(*ROUTE).filter(pk=pk).first()


async def _send(row: FalRequest) -> None:
    if row.mode != Mode.QUEUE:
        if attempt := await _start_attempt(row.pk):
            await direct_calls.call(attempt)
        return
    # First a free place, then the lease: it must not expire while this waits for a place.
    with STEPS.labels("submit").time():
        await _send_in_turn(row)


async def _send_in_turn(row: FalRequest) -> None:
    key = await row_keys.key_of(row)
    is_well = connections.breaker(row.endpoint_id).is_well
    async with connections.submits.place(is_well), connections.calls:
        if await probe.must_wait(row.endpoint_id, key):
            return
        if attempt := await _start_attempt(row.pk):
            with leases.renewing(attempt.pk, attempt.lease):
                await submits.submit(attempt)


_start_attempt: GroupedCall[int, lifecycle.Attempt | None] = GroupedCall(
    lambda pks: lifecycle.start_attempts(pks, now=timezone.now())
)
