"""Submit a queued row with one POST, and store what fal answered."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable

from django.db import IntegrityError
from django.utils import timezone

from dashboard.local_apps import app_of
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
from requests_app.rules.transitions import LostSubmitFound
from requests_app.webhooks.address import webhook_url
from requests_app.worker import faults, leases, row_keys
from requests_app.worker.database_pool import with_retry
from requests_app.worker.loop import connections, pool
from requests_app.worker.observing import observe

logger = logging.getLogger(__name__)


async def submit(attempt: lifecycle.Attempt) -> None:
    """Send one POST. Without a clear yes or no the row becomes uncertain and is never sent again."""
    asked_at = timezone.now()
    receipt: Receipt | None = None
    if (post := await _prepared(attempt)) is None:
        return
    try:
        leases.ensure_not_expired(attempt)
        with connections.breaker(attempt.endpoint_id).listening():
            receipt = await post()
        report = lifecycle.RowReport(attempt.pk, receipt, Source.SUBMIT_REPLY, asked_at)
        await with_retry(lambda: observe(report))
        await row_keys.note(attempt.key)
    except NotSent as error:
        await pool.in_database_with_retry(
            lifecycle.note_not_sent, attempt.pk, error, lease=attempt.lease, now=timezone.now()
        )
    except Refused as error:
        await pool.in_database_with_retry(
            lifecycle.note_refused, attempt.pk, error, lease=attempt.lease, now=timezone.now()
        )
        await row_keys.note(attempt.key, error)
    except FalError as error:
        await _uncertain(attempt.pk, str(error))
    except IntegrityError:
        await _uncertain(attempt.pk, "fal answered with the id of another request.")
    except asyncio.CancelledError:
        await _uncertain(attempt.pk, "this program was stopped before fal answered.")
        raise
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        await _unprocessed(attempt, error, receipt)


async def _prepared(attempt: lifecycle.Attempt) -> Callable[[], Awaitable[Receipt]] | None:
    """Return the call, or tell the row why it cannot be made."""
    held = {"lease": attempt.lease, "now": timezone.now()}
    try:
        return _post_of(attempt)
    except NotSent as error:  # the key cannot be used
        await pool.in_database_with_retry(lifecycle.note_not_sent, attempt.pk, error, **held)
    except ValueError as error:  # stored before a rule became stricter
        await pool.in_database_with_retry(lifecycle.fail_unsendable, attempt.pk, str(error), **held)
    return None


async def _unprocessed(
    attempt: lifecycle.Attempt, error: Exception, receipt: Receipt | None
) -> None:
    """Mark the row uncertain after an unexpected exception, since bytes may have left."""
    faults.tell(logger, f"The answer to the submit of request {attempt.pk} failed", error)
    reason = f"fal's answer cannot be processed here ({faults.describe(error)})."
    await _uncertain(attempt.pk, reason)
    if receipt:  # its id is enough to poll for the result
        found, now = LostSubmitFound(receipt.request_id), timezone.now()
        await pool.in_database_with_retry(
            lifecycle.observe, attempt.pk, found, source=Source.SUBMIT_REPLY, asked_at=now
        )


def _post_of(attempt: lifecycle.Attempt) -> Callable[[], Awaitable[Receipt]]:
    """Prepare the call. Raises NotSent and ValueError before any byte has left."""
    return functools.partial(
        connections.client(attempt.key).submit,
        EndpointId.parse(attempt.endpoint_id),
        attempt.body,
        build_headers(attempt.options),
        query=build_query(attempt.options),
        webhook_url=_webhook_of(attempt),
    )


def _webhook_of(attempt: lifecycle.Attempt) -> str | None:
    """Return where fal shall tell the end; the queue of own apps is ours, and tells it without."""
    if app_of(attempt.endpoint_id):
        return None
    return webhook_url(attempt.public_id, attempt.webhook_secret)


async def _uncertain(pk: int, reason: str) -> None:
    await pool.in_database_with_retry(lifecycle.mark_uncertain, pk, reason, now=timezone.now())
