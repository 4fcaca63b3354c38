"""Settle a stored delivery again: one that could not be verified or applied when it came.

It goes the way of an incoming one, with fal's keys of now. Its bytes, its headers and the time at which it came are as they
were stored: a signature must hold now, and the timestamp must have been fresh then. The secret of the address was right
when it was stored; an imported run's deliveries came to another address, with a secret of theirs, and are never settled.
"""

from __future__ import annotations

from datetime import datetime

from requests_app.models import Delivery, FalRequest
from requests_app.models.request import RequestOrigin
from requests_app.webhooks.deliveries import Post, Verdict, judge

# What may be judged otherwise later: keys, account and ids come to be known. The rest lies in the bytes.
OPEN_VERDICTS = frozenset({
    Verdict.NO_KEYS, Verdict.BAD_SIGNATURE, Verdict.FOREIGN_ACCOUNT, Verdict.OTHER_REQUEST,
    Verdict.UNPARSABLE,
})  # fmt: skip


def why_not(verdict: str, *, kept: int, size: int, row: FalRequest) -> str:
    """Return why a delivery is not settled again, in a sentence; empty where it may be.

    `kept` of its `size` bytes are stored. `row` is its request.
    """
    if verdict not in OPEN_VERDICTS:
        return "Its verdict stands: it would be the same again."
    if row.origin == RequestOrigin.IMPORTED or not row.webhook_digest:
        return "It came with the file of a run, and not from fal to this site."
    if kept < size:
        return "Its body is not kept whole, so its signature cannot be checked."
    return ""


def settle_again(row: FalRequest, pk: int, *, by: str, now: datetime) -> Verdict | None:
    """Verify and apply a stored delivery of this request, and return its verdict, as stored from now on.

    None when it may not be settled again. Two at once count once, as for those that come twice.
    """
    stored = Delivery.objects.get(pk=pk, request=row)
    body = bytes(stored.body)
    if why_not(stored.verdict, kept=len(body), size=stored.body_size, row=row):
        return None
    judge(row, Post(stored.headers, body, stored.received_at, kept=pk, judged_at=now))
    stored.refresh_from_db(fields=["verdict", "note"])
    note = f"{stored.note} Settled again by {by}."
    Delivery.objects.filter(pk=pk, verdict=stored.verdict).update(note=note.strip())
    return Verdict(stored.verdict)
