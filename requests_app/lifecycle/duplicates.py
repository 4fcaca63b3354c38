"""The guard against paying twice for the same input: one that is open, or has just ended well."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q

from requests_app.models import ErrorType, FalRequest, Membership, Status, Team


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
    guarded = Team.objects.select_for_update(no_key=True).filter(
        pk=team.pk, duplicate_minutes__isnull=False
    )
    sees = Exists(Membership.objects.seeing(person.pk).filter(team=OuterRef("pk")))
    found_team = guarded.values_list("duplicate_minutes", sees).first()
    if found_team is None:
        return
    minutes, sees_all = found_team
    # Ids alone: that there is none is the usual case, and a row's columns are dear to name.
    same = FalRequest.objects.filter(team=team, input_digest=digest).values_list("pk", flat=True)
    if not sees_all:
        same = same.filter(person=person.pk)
    if besides is not None:
        same = same.exclude(pk=besides.pk)
    # Two ranges of one index, each read apart and in its order: neither grows with the history of this input.
    ended = same.filter(ended_at__gte=now - timedelta(minutes=minutes))
    found = same.filter(ended_at__isnull=True).order_by("ended_at").first()
    if found is None:
        found = ended.filter(_was_of_use()).order_by("-ended_at").first()
    if found is not None:
        raise AlreadyRunning(FalRequest.objects.without_payload().get(pk=found))


def _was_of_use() -> Q:
    """It ran, or may have run. What failed or was cancelled is submitted again for a reason."""
    return Q(status=Status.COMPLETED) | Q(error_type=ErrorType.GIVEN_UP)
