"""Which requests an action is for, and why the others are left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import and_, or_

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from requests_app.models import (
    ENDED,
    SUBMITTABLE,
    WITH_TAGS,
    BulkAction,
    BulkVerb,
    FalRequest,
    IdempotencyKey,
    Mode,
    Star,
    Status,
    Tagging,
)
from requests_app.models.request import FalRequestQuerySet

MOST = 100_000  # requests of one action
ENDPOINTS = 5  # named with their numbers before a run again

_ENDED, _UNCERTAIN = Q(status__in=ENDED), Q(status=Status.UNCERTAIN)

Reasons = tuple[tuple[Q, str], ...]

# Of each action: who is left out and the sentence why; the first that fits counts.
_LEFT_OUT: dict[BulkVerb, Reasons] = {
    BulkVerb.CANCEL: (
        (_ENDED, "It had already ended."),
        (_UNCERTAIN, "It is uncertain: give it up or run it again instead."),
        (Q(cancel_asked_at__isnull=False), "It is being cancelled already."),
    ),
    BulkVerb.AGAIN: (
        (~Q(mode__in=SUBMITTABLE), "It is a realtime session, which has no input to send again."),
        (Q(payload_removed_at__isnull=False), "Its input was removed."),
        (~_ENDED & ~_UNCERTAIN, "It has not ended yet."),
    ),
    BulkVerb.REREAD: (
        (~_ENDED, "It has not ended: it is followed anyway."),
        (~Q(mode=Mode.QUEUE), "fal keeps nothing of direct calls and sessions."),
        (Q(fal_request_id=""), "It has no id of fal's."),
        (Q(payload_removed_at__isnull=False), "Its input and output were removed."),
    ),
    BulkVerb.GIVE_UP: ((~_UNCERTAIN, "It is not uncertain."),),
    BulkVerb.PAYLOAD: (
        (~_ENDED, "It has not ended yet."),
        (Q(payload_removed_at__isnull=False), "Its input and output were removed before."),
    ),
    BulkVerb.DELETE: (
        (~_ENDED, "It has not ended yet."),
        (Q(due_at__isnull=False), "Faldeck still asks fal about it: try again in a while."),
    ),
}
MAY_REPEAT = timedelta(hours=24)
_REPEATABLE = (
    "It was submitted in the last 24 hours: its program or form, sent again, would run it again."
)


@dataclass(frozen=True)
class Act:
    """What is done: the verb, with which tags, in whose name."""

    verb: BulkVerb
    tags: tuple[str, ...] = ()
    person_pk: int | None = None

    @property
    def reasons(self) -> Reasons:
        """Return who is left out and why; without tags it is not known yet who has them."""
        if self.verb in (BulkVerb.STAR, BulkVerb.UNSTAR):
            mine = Q(pk__in=Star.objects.filter(user=self.person_pk).values("request"))
            is_on = self.verb == BulkVerb.STAR
            return (
                (mine, "You have starred it.") if is_on else (~mine, "It has no star of yours."),
            )
        if self.verb in WITH_TAGS:
            each = [Q(pk__in=_tagged(name)) for name in self.tags]
            if not each:
                return ()
            if self.verb == BulkVerb.TAG:
                return ((reduce(and_, each), "It has the tag already."),)
            return ((~reduce(or_, each), "It does not have the tag."),)
        if self.verb == BulkVerb.DELETE:
            keys = IdempotencyKey.objects.filter(request=OuterRef("pk"))
            young = Q(created_at__gte=timezone.now() - MAY_REPEAT) & Q(Exists(keys))
            return (*_LEFT_OUT[self.verb], (young, _REPEATABLE))
        return _LEFT_OUT[self.verb]


def _tagged(name: str) -> QuerySet[Tagging, int]:
    return Tagging.objects.filter(tag__key=name, tag__is_fals=False).values_list(
        "request", flat=True
    )


def act_of(bulk: BulkAction) -> Act:
    """Return what a stored action does."""
    return Act(BulkVerb(bulk.verb), tuple(bulk.tag_names), bulk.person_id)


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


def qualifying(rows: FalRequestQuerySet, act: Act) -> FalRequestQuerySet:
    """Return those of the rows that the action is for."""
    return reduce(lambda left, part: left.exclude(part[0]), act.reasons, rows)


def why_not(row: FalRequest, act: Act) -> str:
    """Return why the action is not for this row (any more); empty when it is."""
    mine = FalRequest.objects.filter(pk=row.pk)
    return next((why for which, why in act.reasons if mine.filter(which).exists()), "")


def preview(rows: FalRequestQuerySet, act: Act) -> BulkPreview:
    """Count what the action would do."""
    left_out, rest, verb = [], rows, act.verb
    for which, why in act.reasons:
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
