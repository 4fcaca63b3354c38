"""A look that failed although fal is there: what is counted, what is tried instead, and when it ends.

While fal is away a row waits for as long as it takes. What fal said and cannot be taken in will not
become better by waiting: then the result is fetched without a status, and in the end the row fails by name.
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
from requests_app.lifecycle import MOST_FAILURES, TOLD_AT
from requests_app.upkeep.metrics import FAILED_LOOKS
from requests_app.worker import faults
from requests_app.worker.loop import watch_loop

MOST_UNANSWERED = 1500  # failed looks in a row, whatever the reason: a day
_OF_THE_ACCOUNT = frozenset({401, 402, 403, 407, 408, 429})  # nothing is wrong with the row

logger = logging.getLogger(__name__)


@dataclass
class Failure:
    """Why a look failed. ``is_lasting``: waiting alone does not help. ``is_answered``: fal is there."""

    why: str
    is_lasting: bool = False
    is_answered: bool = False
    is_account: bool = False
    body: bytes = b""  # the beginning of what came in place of a status

    def is_also(self, result: Result) -> bool:
        """Whether a result is the very answer that was no status: then it is no result either."""
        return bool(self.body) and result.body.startswith(self.body)


def of_fal(error: FalError) -> Failure:
    """fal could not be asked, or its answer could not be used."""
    is_account = isinstance(error, Refused) and error.status_code in _OF_THE_ACCOUNT
    FAILED_LOOKS.labels("refused" if isinstance(error, Refused) else "unanswered").inc()
    is_lasting = _is_lasting(error) and not is_account
    body = error.body if isinstance(error, Unanswered | Refused) else b""
    return Failure(str(error), is_lasting, is_lasting, is_account, body)


def _is_lasting(error: FalError) -> bool:
    if isinstance(error, BadReply | Refused):
        return True
    # An answer came, and no server failed: it will be the same again.
    return isinstance(error, Unanswered) and 200 <= (error.status_code or 0) < 500


def of_ours(pk: int, error: Exception) -> Failure:
    """What fal said could not be processed: one line in the log, however often."""
    faults.tell(logger, f"A look at request {pk} failed", error)
    FAILED_LOOKS.labels("exception").inc()
    why = f"fal's answer cannot be processed here ({faults.describe(error)})"
    return Failure(why, is_lasting=True, is_answered=True)


def is_hopeless(failure: Failure, tries: int) -> bool:
    """Whether the row should end, given how many looks in a row have failed."""
    if failure.is_account:
        return False
    return tries >= (MOST_FAILURES if failure.is_lasting else MOST_UNANSWERED)


def is_rescue_due(failure: Failure, tries: int) -> bool:
    """Whether to fetch the result without a status: not before the failure has been told."""
    return failure.is_answered and tries > TOLD_AT


async def end(pk: int, failure: Failure, result: Result | None = None) -> None:
    """The row fails by name, with the output as it came if there is one."""
    await watch_loop.database(
        lifecycle.unprocessed, pk, failure.why, now=timezone.now(), result=result
    )


async def fetch(urls: RequestUrls) -> Result | bool:
    """The result, if fal has one; else whether fal says that the request still waits or runs."""
    try:
        return await watch_loop.client().result(urls)
    except NotFinished:
        return True
    except NotTheResult as error:
        error.believed.close()
    except FalError:
        pass
    return False


async def step_failed(pk: int, error: Exception) -> None:
    """A step failed outside of any look: the row waits, and in the end fails."""
    faults.tell(logger, f"A step of request {pk} failed", error)
    FAILED_LOOKS.labels("exception").inc()
    why = f"This step cannot be taken here ({faults.describe(error)})"
    try:
        await watch_loop.database(lifecycle.step_failed, pk, why, now=timezone.now())
    except Exception as another:
        faults.tell(logger, f"Nor can that be told of request {pk}", another)
