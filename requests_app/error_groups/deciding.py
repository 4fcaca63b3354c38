"""What a user decides on a group of errors. Of two at once, the later one finds what the other did."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app.models import ErrorDecision, ErrorGroup, GroupState
from requests_app.rules.storable import storable_text

Kind = ErrorDecision.Kind
LONGEST_NOTE = 1000
MOST_DECISIONS = 100  # kept of a group, the newest


def resolve(group: ErrorGroup, *, person: AbstractBaseUser, now: datetime, note: str = "") -> bool:
    """It should not come again: if it does, it is open again and says so. False: it was resolved."""
    columns = {"resolved_at": now, "resolved_by_id": person.pk, "regressed_at": None}
    return _decide(group, GroupState.RESOLVED, Kind.RESOLVED, person, now, note, **columns)


def ignore(group: ErrorGroup, *, person: AbstractBaseUser, now: datetime, note: str = "") -> bool:
    """It may come again, and stays out of the way. False: it was ignored."""
    return _decide(group, GroupState.IGNORED, Kind.IGNORED, person, now, note, regressed_at=None)


def reopen(group: ErrorGroup, *, person: AbstractBaseUser, now: datetime, note: str = "") -> bool:
    """It needs attention after all. False: it was open."""
    return _decide(group, GroupState.OPEN, Kind.REOPENED, person, now, note)


def add_note(group: ErrorGroup, *, person: AbstractBaseUser, now: datetime, note: str) -> bool:
    """Keep a user's words with the group. False: there are none."""
    if not note.strip():
        return False
    with transaction.atomic():
        _tell(group, Kind.NOTE, person, now, note)
    return True


def _decide(
    group: ErrorGroup,
    state: GroupState,
    kind: ErrorDecision.Kind,
    person: AbstractBaseUser,
    now: datetime,
    note: str,
    **columns: object,
) -> bool:
    with transaction.atomic():
        others = ErrorGroup.objects.filter(pk=group.pk).exclude(state=state)
        if not others.update(state=state, **columns):
            return False
        _tell(group, kind, person, now, note)
    return True


def _tell(
    group: ErrorGroup, kind: ErrorDecision.Kind, person: AbstractBaseUser, now: datetime, note: str
) -> None:
    ErrorDecision.objects.create(
        group=group,
        kind=kind,
        person_id=person.pk,
        at=now,
        note=storable_text(note.strip(), LONGEST_NOTE),
    )
    newest = ErrorDecision.objects.filter(group=group).order_by("-pk")
    old = newest.values_list("pk", flat=True)[MOST_DECISIONS : MOST_DECISIONS + 50]
    ErrorDecision.objects.filter(pk__in=list(old)).delete()
