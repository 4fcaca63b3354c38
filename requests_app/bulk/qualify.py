"""Which requests an action is for, and why the others are left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from django.db.models import Count, Q

from requests_app.models import ENDED, SUBMITTABLE, BulkVerb, FalRequest, Status
from requests_app.models.request import FalRequestQuerySet

MOST = 100_000  # requests of one action
ENDPOINTS = 5  # named with their numbers before a run again

_ENDED, _UNCERTAIN = Q(status__in=ENDED), Q(status=Status.UNCERTAIN)

# Of each action: who is left out and the sentence why; the first that fits counts.
_LEFT_OUT: dict[BulkVerb, tuple[tuple[Q, str], ...]] = {
    BulkVerb.CANCEL: (
        (_ENDED, "It had already ended."),
        (_UNCERTAIN, "It is uncertain: give it up or run it again instead."),
        (Q(cancel_asked_at__isnull=False), "It is being cancelled already."),
    ),
    BulkVerb.AGAIN: (
        (~Q(mode__in=SUBMITTABLE), "It is a realtime session, which has no input to send again."),
        (Q(payload_removed_at__isnull=False), "Its input was removed by retention."),
        (~_ENDED & ~_UNCERTAIN, "It has not ended yet."),
    ),
    BulkVerb.GIVE_UP: ((~_UNCERTAIN, "It is not uncertain."),),
}


@dataclass(frozen=True)
class BulkPreview:
    """What an action would do: for how many requests, and how many are left out, by reason."""

    eligible: int
    left_out: list[tuple[str, int]]
    uncertain: int  # of the eligible, those that fal may have run already
    endpoints: list[tuple[str, int]]  # the most frequent ones of a run again

    @property
    def total(self) -> int:
        return self.eligible + sum(count for _, count in self.left_out)


def qualifying(rows: FalRequestQuerySet, verb: BulkVerb) -> FalRequestQuerySet:
    """Return those of the rows that the action is for."""
    return reduce(lambda left, part: left.exclude(part[0]), _LEFT_OUT[verb], rows)


def why_not(row: FalRequest, verb: BulkVerb) -> str:
    """Return why the action is not for this row (any more); empty when it is."""
    mine = FalRequest.objects.filter(pk=row.pk)
    return next((why for which, why in _LEFT_OUT[verb] if mine.filter(which).exists()), "")


def preview(rows: FalRequestQuerySet, verb: BulkVerb) -> BulkPreview:
    """Count what the action would do."""
    left_out, rest = [], rows
    for which, why in _LEFT_OUT[verb]:
        if count := rest.filter(which).count():
            left_out.append((why, count))
        rest = rest.exclude(which)
    uncertain = rest.filter(_UNCERTAIN).count() if verb == BulkVerb.AGAIN else 0
    return BulkPreview(rest.count(), left_out, uncertain, _endpoints(rest, verb))


def _endpoints(rows: FalRequestQuerySet, verb: BulkVerb) -> list[tuple[str, int]]:
    if verb != BulkVerb.AGAIN:
        return []
    counted = rows.order_by().values("endpoint_id").annotate(count=Count("pk"))
    return list(
        counted.order_by("-count", "endpoint_id").values_list("endpoint_id", "count")[:ENDPOINTS]
    )
