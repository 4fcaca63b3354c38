"""Lease rows for a poll and give them back, many in one transaction each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import EndpointId, RequestUrls, urls_for
from requests_app.models import FalRequest
from requests_app.rules import schedule
from requests_app.worker import faults, shares
from requests_app.worker.failed_looks import Failure
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.group_calls import GroupedCall

logger = logging.getLogger(__name__)

UNANSWERED_BEFORE_TOLD = lifecycle.TOLD_AT
AFTERCARE_TRIES = 9  # failed polls of a request that has ended, with their backoff: six minutes

# All that a poll needs of a row: it is loaded once, together with its lease.
COLUMNS = (
    "public_id", "mode", "status", "endpoint_id", "fal_request_id", "status_url", "response_url",
    "cancel_url", "cancel_asked_at", "cancel_answer", "sent_at", "created_at", "watched_until",
    "finished_at", "tries", "due_at", "leased_until", "error_type", "output_size", "payload_removed_at",
    "queue_position", "seq", "team_id", "fal_key_id", "origin",
)  # fmt: skip


@dataclass
class Look:
    """A leased row and the outcome of polling it so far."""

    row: FalRequest
    lease: UUID
    failed: bool = False
    failure: Failure | None = None  # why fal could not be reached or understood
    asked_s: float | None = None  # how long fal wants us to wait
    unheard: bool = False  # fal's status was what the row had: it was not stored

    @property
    def urls(self) -> RequestUrls:
        """Raises ValueError for a row whose ids make no URL."""
        return urls_of(self.row)


def _take_many(pks: Sequence[int]) -> list[Look | None]:
    with transaction.atomic():  # a row that cannot be read is not leased either
        now = timezone.now()
        rows = FalRequest.objects.only(*COLUMNS).take_leases(pks, now, lifecycle.LEASE)
    looks = {row.pk: Look(row, row.lease) for row in rows if row.lease}
    return [looks.pop(pk, None) for pk in pks]  # of two that want one row, the first gets it


take = GroupedCall(_take_many)


def _give_back_many(looks: Sequence[Look]) -> list[None]:
    """Release the leases and set the times of the next polls; ended rows need none."""
    now = timezone.now()
    rows = _as_they_are(looks)
    share_s = shares.of_teams({row.team_id for row in rows.values()})
    known = [(rows[look.row.pk], look) for look in looks if look.row.pk in rows]
    with transaction.atomic():
        lifecycle.release(*(_release(row, look, now, share_s[row.team_id]) for row, look in known))
    for look in looks:
        try:
            _tell_of_answers(look, now)
        except faults.DATABASE_AWAY:
            raise
        except Exception as error:  # the lease is released all the same
            faults.tell(
                logger, f"The outcome of the poll of request {look.row.pk} cannot be noted", error
            )
    return [None] * len(looks)


def _as_they_are(looks: Sequence[Look]) -> dict[int, FalRequest]:
    """Return the rows; those that have another version than the look knows are loaded again."""
    pks = [look.row.pk for look in looks]
    versions = dict(FalRequest.objects.filter(pk__in=pks).values_list("pk", "seq"))
    same = {look.row.pk: look.row for look in looks if versions.get(look.row.pk) == look.row.seq}
    others = [pk for pk in versions if pk not in same]
    return same | (FalRequest.objects.only(*COLUMNS).in_bulk(others) if others else {})


def _release(row: FalRequest, look: Look, now: datetime, share_s: float) -> lifecycle.Release:
    return lifecycle.Release(row.pk, look.lease, _next(row, look, now, share_s), look.failed)


give_back = GroupedCall(_give_back_many)


def _tell_of_answers(look: Look, now: datetime) -> None:
    """Note once that fal has not answered for a while, and once that it answers again."""
    if look.failure and look.row.tries + 1 == UNANSWERED_BEFORE_TOLD:
        lifecycle.note_unanswered(look.row.pk, look.failure.why, now=now)
    elif not look.failed and look.row.tries:
        lifecycle.note_recovered(look.row.pk, now=now)


def _next(row: FalRequest, look: Look, now: datetime, share_s: float) -> datetime | None:
    if row.is_ended and not (look.failed and row.tries < AFTERCARE_TRIES):
        return None
    if look.failed:
        return schedule.next_retry_at(now, row.tries + 1, asked_s=look.asked_s)
    is_other = look.unheard and row.seq != look.row.seq  # fal's status may be news after all
    if row.finished_at is not None or is_other:
        return now + timedelta(seconds=schedule.SOONEST_S)
    sent_at = row.sent_at or row.created_at
    return schedule.next_poll_at(
        now,
        sent_at=sent_at,
        watched_until=row.watched_until,
        share_s=share_s,
        polls_per_s=settings.POLLS_PER_S,
    )


def urls_of(row: FalRequest) -> RequestUrls:
    """Return the URLs fal gave, or built ones for a row whose id came from a webhook only."""
    if row.status_url and row.response_url and row.cancel_url:
        return RequestUrls(row.status_url, row.response_url, row.cancel_url)
    endpoint = EndpointId.parse(row.endpoint_id)
    return urls_for(hosts_from_settings(), endpoint, row.fal_request_id)
