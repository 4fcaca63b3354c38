"""The guard against paying twice for the same input: one that is open, or has just ended well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from requests_app.models import ErrorType, FalRequest, Membership, Status, Team
from requests_app.models.compiled import CompiledQuery
from requests_app.models.request import FalRequestQuerySet


class AlreadyRunning(Exception):
    """The team's same input is open, or has just run, as `row`; nothing was stored."""

    def __init__(self, row: FalRequest) -> None:
        state = "has just run" if row.is_ended else "is running"
        super().__init__(f"The same request {state}. Set allow_duplicate to submit it again.")
        self.row = row


def refuse_duplicate(
    team: Team,
    digest: str,
    *,
    person: AbstractBaseUser,
    now: datetime,
    besides: FalRequest | None = None,
) -> None:
    """Raise AlreadyRunning; inside the transaction that creates the request.

    A person who may not see inputs is asked about their own requests alone: asked about those of others they
    would learn what was sent, by guessing it.

    `besides`: the request that is repeated on purpose. The lock on the team makes of two callers at once
    the second see the first one's row; it lasts for the insert, and leaves foreign keys to the team free.
    """
    guarded = _GUARDED.first(team=team.pk, person=person.pk)
    if guarded is None:
        return
    minutes, sees_all = guarded
    values: dict[str, Any] = {
        "team": team.pk,
        "digest": digest,
        "besides": besides.pk if besides else 0,
    }
    if not sees_all:
        values["person"] = person.pk
    since = now - timedelta(minutes=minutes)
    found = _OPEN[sees_all].first(**values) or _ENDED[sees_all].first(**values, since=since)
    if found is not None:
        raise AlreadyRunning(FalRequest.objects.without_payload().get(pk=found[0]))


# Whether the team is asked at all, for how many minutes, and whether the person sees its inputs.
_GUARDED: CompiledQuery[tuple[int, bool]] = CompiledQuery(
    lambda team, person: (
        Team.objects.select_for_update(no_key=True)
        .filter(pk=team, duplicate_minutes__isnull=False)
        .values_list(
            "duplicate_minutes",
            Exists(Membership.objects.seeing(person).filter(team=OuterRef("pk"))),
        )
    )
)


def _same(*, team: Any, digest: Any, besides: Any, **person: Any) -> FalRequestQuerySet:
    # Ids alone: that there is none is the usual case, and a row's columns are dear to name.
    rows = FalRequest.objects.filter(team=team, input_digest=digest, **person)
    return rows.exclude(pk=besides)


# Two ranges of one index, each read apart and in its order: neither grows with the history of this input.
def _open(**values: Any) -> QuerySet[FalRequest, tuple[int]]:
    return _same(**values).filter(ended_at__isnull=True).order_by("ended_at").values_list("pk")[:1]


def _ended(*, since: Any, **values: Any) -> QuerySet[FalRequest, tuple[int]]:
    ended = _same(**values).filter(_was_of_use(), ended_at__gte=since)
    return ended.order_by("-ended_at").values_list("pk")[:1]


# By whether the person sees all inputs: of others, only their own requests are looked at.
_OPEN: dict[bool, CompiledQuery[tuple[int]]] = {
    sees: CompiledQuery(_open) for sees in (True, False)
}
_ENDED: dict[bool, CompiledQuery[tuple[int]]] = {
    sees: CompiledQuery(_ended) for sees in (True, False)
}


def _was_of_use() -> Q:
    """It ran, or may have run. What failed or was cancelled is submitted again for a reason."""
    return Q(status=Status.COMPLETED) | Q(error_type=ErrorType.GIVEN_UP)
