"""Submit a queued row: one POST, and what its answer makes of the row."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable

from django.db import IntegrityError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    EndpointId,
    FalError,
    NotSent,
    Receipt,
    Refused,
    build_headers,
    build_query,
)
from requests_app.models import Source
from requests_app.rules.transitions import Found
from requests_app.webhooks.address import webhook_url
from requests_app.worker import faults, leases
from requests_app.worker.loop import watch_loop

logger = logging.getLogger(__name__)


async def submit(claim: lifecycle.Claim) -> None:
    """One POST. Whatever is not a clear yes or no leaves the row uncertain, never sent again."""
    asked_at = timezone.now()
    receipt: Receipt | None = None
    try:
        post = _post_of(claim)
    except ValueError as error:  # stored before a rule became stricter
        await watch_loop.insist(
            lifecycle.unsendable, claim.pk, str(error), lease=claim.lease, now=timezone.now()
        )
        return
    try:
        leases.check_ours(claim)
        with watch_loop.breaker().listening():
            receipt = await post()
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
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        await _unprocessed(claim, error, receipt)


async def _unprocessed(claim: lifecycle.Claim, error: Exception, receipt: Receipt | None) -> None:
    """Bytes have left, and something nothing expected kept the answer from being stored."""
    faults.tell(logger, f"The answer to the submit of request {claim.pk} failed", error)
    reason = f"fal's answer cannot be processed here ({faults.describe(error)})."
    await _uncertain(claim.pk, reason)
    if receipt:  # its id is enough to go on
        found, now = Found(receipt.request_id), timezone.now()
        await watch_loop.insist(
            lifecycle.observe, claim.pk, found, source=Source.SUBMIT_REPLY, asked_at=now
        )


def _post_of(claim: lifecycle.Claim) -> Callable[[], Awaitable[Receipt]]:
    """The call, ready to be made. Raises ValueError while not a byte has left."""
    return functools.partial(
        watch_loop.client().submit,
        EndpointId.parse(claim.endpoint_id),
        claim.body,
        build_headers(claim.options),
        query=build_query(claim.options),
        webhook_url=webhook_url(claim.public_id, claim.webhook_secret),
    )


async def _uncertain(pk: int, reason: str) -> None:
    await watch_loop.insist(lifecycle.uncertain, pk, reason, now=timezone.now())
