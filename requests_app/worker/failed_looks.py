"""Polls that failed although fal is up: count them, try the result instead, end the row.

During an outage a row waits as long as the outage lasts. An answer that cannot be processed does not
improve with waiting: then the result is fetched without a status, and in the end the row fails with
an error type of its own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    BadReply,
    FalError,
    NotFinished,
    NotTheResult,
    Refused,
    RequestUrls,
    Result,
    Unanswered,
)
from requests_app.keys import Key
from requests_app.lifecycle import MOST_FAILURES, TOLD_AT
from requests_app.upkeep.metrics import FAILED_LOOKS
from requests_app.worker import faults
from requests_app.worker.loop import connections, pool

MOST_UNANSWERED = 1500  # failed polls in a row for any reason, with their backoff: a day
_OF_THE_ACCOUNT = frozenset({401, 402, 403, 407, 408, 429})  # the account is at fault, not the row

logger = logging.getLogger(__name__)


@dataclass
class Failure:
    """Why a poll failed. ``is_lasting``: waiting alone does not help. ``is_answered``: fal is up."""

    why: str
    is_lasting: bool = False
    is_answered: bool = False
    is_account: bool = False
    body: bytes = b""  # the beginning of what came in place of a status

    def is_also(self, result: Result) -> bool:
        """Return whether the result has the same bytes as the unreadable status: then it is no result."""
        return bool(self.body) and result.body.startswith(self.body)


def of_fal(error: FalError) -> Failure:
    """Classify a call that failed at fal, and count it."""
    is_account = isinstance(error, Refused) and error.status_code in _OF_THE_ACCOUNT
    count(error)
    is_lasting = _is_lasting(error) and not is_account
    body = error.body if isinstance(error, Unanswered | Refused) else b""
    return Failure(str(error), is_lasting, is_lasting, is_account, body)


def count(error: Exception) -> None:
    """Count a failed poll, search or other step by its cause."""
    is_fals = isinstance(error, FalError)
    cause = "refused" if isinstance(error, Refused) else "unanswered" if is_fals else "exception"
    FAILED_LOOKS.labels(cause).inc()


def _is_lasting(error: FalError) -> bool:
    if isinstance(error, BadReply | Refused):
        return True
    # An answer came and it was no server error: the next one will be the same.
    return isinstance(error, Unanswered) and 200 <= (error.status_code or 0) < 500


def of_ours(pk: int, error: Exception) -> Failure:
    """Classify an exception of our own while processing an answer; log it in one line."""
    faults.tell(logger, f"A look at request {pk} failed", error)
    count(error)
    why = f"fal's answer cannot be processed here ({faults.describe(error)})"
    return Failure(why, is_lasting=True, is_answered=True)


def is_hopeless(failure: Failure, tries: int) -> bool:
    """Return whether the row should end, given how many polls in a row have failed."""
    if failure.is_account:
        return False
    return tries >= (MOST_FAILURES if failure.is_lasting else MOST_UNANSWERED)


def is_rescue_due(failure: Failure, tries: int) -> bool:
    """Return whether to fetch the result without a status; not before the timeline shows the failure."""
    return failure.is_answered and tries > TOLD_AT


async def end(pk: int, failure: Failure, result: Result | None = None) -> None:
    """End the row as failed, with the raw output if there is one."""
    await pool.in_database(
        lifecycle.fail_unprocessed, pk, failure.why, now=timezone.now(), result=result
    )


async def fetch(urls: RequestUrls, key: Key) -> Result | bool:
    """Return the result if fal has one; else whether fal says that the request still waits or runs."""
    try:
        async with connections.calls:
            return await connections.client(key).result(urls)
    except NotFinished:
        return True
    except NotTheResult as error:
        error.believed.close()
    except FalError:
        pass
    return False


async def step_failed(pk: int, error: Exception) -> None:
    """Back off after a step that failed outside of a poll; end the row after too many of them."""
    faults.tell(logger, f"A step of request {pk} failed", error)
    count(error)
    why = f"This step cannot be taken here ({faults.describe(error)})"
    try:
        await pool.in_database(lifecycle.note_step_failed, pk, why, now=timezone.now())
    except Exception as another:
        faults.tell(logger, f"The failure of request {pk} cannot be stored", another)
