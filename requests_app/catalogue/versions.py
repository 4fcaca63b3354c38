"""The last change of an endpoint's fields, and whether it is news to a user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from requests_app.catalogue import own, store
from requests_app.catalogue.changes import FieldChange, What, changes
from requests_app.fal.endpoints import EndpointId
from requests_app.models import SeenChange, Team

NEWS_FOR = timedelta(days=30)  # after that the endpoint's page alone tells of it
MOST_NAMED = 4  # fields of a sort that a notice names


@dataclass(frozen=True)
class LastChange:
    """What changed, and since when the newer document has been there."""

    endpoint_id: str
    changes: list[FieldChange]
    at: datetime

    @property
    def summary(self) -> list[str]:
        """Return one line a sort of change, such as "gone: a, b": gone, narrowed and added fields.

        Without any of these, return the fields that changed in another way.
        """
        told = [What.GONE, What.NARROWED, What.ADDED]
        return list(self._named(told)) or list(self._named([What.CHANGED]))

    def _named(self, sorts: list[What]) -> Iterator[str]:
        for what in sorts:
            names = [one.path[1:] for one in self.changes if one.what is what]
            names = list(dict.fromkeys(names))
            more = len(names) - MOST_NAMED
            rest = f" and {more} more" if more > 0 else ""
            if names:
                yield f"{what.value}: {', '.join(names[:MOST_NAMED])}{rest}"


def last_change(endpoint_id: str, team: Team) -> LastChange | None:
    """Compare the document that the team has with the one before it that had other fields."""
    row = store.holder(endpoint_id, team)
    if row is None or row.document is None or row.changed_at is None or row.changed_from is None:
        return None
    before, present = row.changed_from.digest, row.document.digest
    differing = changes(
        store.parsed(before, endpoint_id).fields, store.parsed(present, endpoint_id).fields
    )
    return LastChange(endpoint_id, differing, row.changed_at) if differing else None


def news(person: Any, team: Team, endpoint_id: str, *, now: datetime) -> LastChange | None:
    """Return the last change if the team uses the endpoint, and the user has not dismissed it."""
    row = store.holder(endpoint_id, team)
    at = row.changed_at if row else None
    if at is None or at <= now - NEWS_FOR:
        return None
    if not own.used_since(team, EndpointId.parse(endpoint_id), at):
        return None
    seen = SeenChange.objects.filter(person=person, endpoint_id=endpoint_id, changed_at__gte=at)
    return None if seen.exists() else last_change(endpoint_id, team)


def dismiss(person: AbstractBaseUser, endpoint: EndpointId, at: datetime) -> None:
    """Tell this user no more of the change of that time; a later one is told."""
    values = {"changed_at": at}
    SeenChange.objects.update_or_create(
        person_id=person.pk, endpoint_id=str(endpoint), defaults=values
    )
