"""What becomes of each copy, and the one writer of it.

A worker takes a copy under a lease; what it writes afterwards counts only while the lease is its own. What
failed is tried again after a pause that grows, and after the last one, or where another try cannot help, never.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from requests_app.copies.fetching import Cause, NotFetched
from requests_app.copies.files import OverQuota, file_for
from requests_app.models import CopyRules, CopyState, KeptFile, MediaCopy

LEASE = timedelta(seconds=60)
OTHERS = 8  # workers that may take the first ones meanwhile
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 120, 1440))  # after so many tries
# What is gone so long after its request's end has not been late: fal has deleted it.
SETTLED = timedelta(hours=1)


class LeaseLost(Exception):
    """Another worker has the copy by now, or its request was emptied."""


@dataclass(frozen=True)
class TakenCopy:
    """A copy that this worker has leased, and what the team allows for it."""

    pk: int
    lease: uuid.UUID
    team_id: int
    url: str
    content_type: str
    most: int  # bytes


@dataclass(frozen=True)
class Fetched:
    """A file that has come whole, on this machine's disk."""

    path: Path
    sha256: str
    size: int
    shown_type: str


def take_due(now: datetime, most: int) -> list[TakenCopy]:
    """Lease up to so many copies that are due."""
    due = MediaCopy.objects.due(now).order_by("due_at")
    found = list(due.only("pk", "team_id", "url", "content_type")[: most + OTHERS])
    rules = CopyRules.objects.in_bulk({copy.team_id for copy in found})
    taken: list[TakenCopy] = []
    for copy in found:
        if len(taken) == most:
            break
        if mine := _leased(copy, rules.get(copy.team_id), now):
            taken.append(mine)
    return taken


def take(copy: MediaCopy, now: datetime) -> TakenCopy | None:
    """Lease this copy; None when a worker has it."""
    return _leased(copy, CopyRules.objects.filter(pk=copy.team_id).first(), now)


def _leased(copy: MediaCopy, rules: CopyRules | None, now: datetime) -> TakenCopy | None:
    lease = MediaCopy.objects.take_lease(copy.pk, now, LEASE)
    largest = rules.largest_bytes if rules else 0
    if lease is None:
        return None
    return TakenCopy(copy.pk, lease, copy.team_id, copy.url, copy.content_type, largest)


def renew(taken: TakenCopy, now: datetime) -> bool:
    """Renew the lease; False when it is another worker's."""
    mine = MediaCopy.objects.under(taken.pk, taken.lease)
    return bool(mine.update(leased_until=now + LEASE))


def room_for(team_id: int, size: int) -> None:
    """Check before a file is fetched. Raises OverQuota; `reserve` has the last word."""
    rules = CopyRules.objects.filter(pk=team_id).first()
    if rules is None or rules.used_bytes + size > rules.quota_bytes:
        raise OverQuota("The team's quota for copies is used up.")


def reserve(taken: TakenCopy, fetched: Fetched, now: datetime) -> KeptFile:
    """Have the copy refer to the team's file with this content. Raises OverQuota, LeaseLost.

    Without `stored_at` its bytes are still to be stored, and `confirm` to be called afterwards in any case.
    """
    with transaction.atomic():
        file = file_for(taken.team_id, fetched.sha256, fetched.size, now)
        if not MediaCopy.objects.under(taken.pk, taken.lease).update(file=file):
            raise LeaseLost
    return file


def confirm(taken: TakenCopy, file: KeptFile, fetched: Fetched, now: datetime) -> None:
    """Note that the bytes are stored."""
    KeptFile.objects.filter(pk=file.pk, stored_at=None).update(stored_at=now)
    _settle(taken, CopyState.KEPT, "", now, shown_type=fetched.shown_type)


def note_problem(taken: TakenCopy, error: Exception, now: datetime) -> None:
    """Keep why it is not kept, and when another try makes sense."""
    sentence = str(error)[:200]
    if isinstance(error, OverQuota):
        _settle(taken, CopyState.OVER_QUOTA, sentence, now)
    elif isinstance(error, NotFetched) and error.cause == Cause.LARGE:
        _settle(taken, CopyState.TOO_LARGE, sentence, now)
    elif isinstance(error, NotFetched) and error.cause == Cause.REFUSED:
        _settle(taken, CopyState.FAILED, sentence, now)
    else:
        is_gone = isinstance(error, NotFetched) and error.cause == Cause.GONE
        _retry(taken, sentence, now, is_gone=is_gone)


def _retry(taken: TakenCopy, sentence: str, now: datetime, *, is_gone: bool) -> None:
    mine = MediaCopy.objects.under(taken.pk, taken.lease).select_related("request")
    copy = mine.only("tries", "request__ended_at").first()
    if copy is None:
        return
    ended_at = copy.request.ended_at
    is_settled = is_gone and (ended_at is None or now - ended_at > SETTLED)
    if is_settled or copy.tries > len(PAUSES):
        _settle(taken, CopyState.EXPIRED if is_gone else CopyState.FAILED, sentence, now)
        return
    pause = PAUSES[max(copy.tries, 1) - 1]
    mine.update(due_at=now + pause, problem=sentence, changed_at=now, lease=None, leased_until=None)


def _settle(
    taken: TakenCopy, state: CopyState, problem: str, now: datetime, **columns: str
) -> None:
    mine = MediaCopy.objects.under(taken.pk, taken.lease)
    mine.update(
        state=state, problem=problem, changed_at=now, due_at=None, lease=None, leased_until=None,
        **columns,
    )  # fmt: skip


def note_lost(file_pk: int, now: datetime) -> None:
    """Note that the store has lost a file: its media wait to be fetched again, if fal still has them."""
    with transaction.atomic():
        file = KeptFile.objects.filter(pk=file_pk, removed_at=None).first()
        if file is None:
            return
        rules = CopyRules.objects.select_for_update().get(pk=file.team_id)
        file = KeptFile.objects.filter(pk=file_pk, removed_at=None).first()
        if file is None:
            return
        state, due_at = (CopyState.WAITING, now) if rules.is_on else (CopyState.FAILED, None)
        MediaCopy.objects.filter(file=file).update(
            file=None, state=state, due_at=due_at, tries=0, changed_at=now,
            problem="The file was lost from the store.",
        )  # fmt: skip
        KeptFile.objects.filter(pk=file.pk).update(removed_at=now)
        rules.used_bytes = max(0, rules.used_bytes - file.size)
        rules.save(update_fields=["used_bytes"])
