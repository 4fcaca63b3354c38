"""The endpoints of a team: used, added by hand, favourites, with a document that it pasted. The one writer
of `TeamEndpoint`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app.catalogue.seen import seen_endpoints
from requests_app.fal.endpoints import EndpointId
from requests_app.models import EndpointDocument, FalRequest, ModelCard, Team, TeamEndpoint
from requests_app.rules.folding import fold

MOST = 2000  # endpoints that a team adds or stars


class TooManyEndpoints(ValueError):
    """The team keeps as many endpoints as it may; the message is a sentence for users."""


@dataclass(frozen=True)
class OwnEndpoint:
    """One endpoint of the team, with what fal's list of models says of it."""

    endpoint_id: str
    is_favourite: bool = False
    is_added: bool = False
    last_request: int = 0  # its primary key; 0: none
    last_used_at: datetime | None = None
    card: ModelCard | None = None

    @property
    def title(self) -> str:
        return self.card.title if self.card else ""

    @property
    def category(self) -> str:
        return self.card.category if self.card else ""

    @property
    def description(self) -> str:
        return self.card.description if self.card else ""


def own_endpoints(
    team: Team, *, q: str = "", category: str = "", favourite: bool | None = None
) -> list[OwnEndpoint]:
    """Return the team's endpoints that match, by id: all words of `q` in id, title or category."""
    seen = seen_endpoints(team)
    kept = {entry.endpoint_id: entry for entry in TeamEndpoint.objects.filter(team=team)[:MOST]}
    names = sorted(seen.keys() | kept.keys())
    cards = cards_of(names)
    words = fold(q).split()
    found = [_own(name, kept.get(name), seen.get(name, 0), cards.get(name)) for name in names]
    return [
        one
        for one in found
        if (favourite is None or one.is_favourite is favourite)
        and (not category or one.category == category)
        and _has(words, one)
    ]


def with_times(team: Team, found: Iterable[OwnEndpoint]) -> list[OwnEndpoint]:
    """Add when each was last used."""
    found = list(found)
    keys = [one.last_request for one in found if one.last_request]
    times = dict(FalRequest.objects.filter(team=team, pk__in=keys).values_list("pk", "created_at"))
    return [replace(one, last_used_at=times.get(one.last_request)) for one in found]


def in_order(found: Iterable[OwnEndpoint]) -> list[OwnEndpoint]:
    """Sort for readers: favourites, then the last used, then by id."""
    return sorted(found, key=lambda one: (not one.is_favourite, -one.last_request, one.endpoint_id))


def own_endpoint(team: Team, endpoint: EndpointId) -> OwnEndpoint:
    """Return what the team keeps about one endpoint, which it may never have used."""
    name = str(endpoint)
    newest = FalRequest.objects.filter(team=team, endpoint_id=name).order_by("-id")
    kept = TeamEndpoint.objects.filter(team=team, endpoint_id=name).first()
    pk = newest.values_list("pk", flat=True).first() or 0
    return _own(name, kept, pk, cards_of([name]).get(name))


def used_since(team: Team, endpoint: EndpointId, at: datetime) -> bool:
    """Whether the team used the endpoint at that time, or has added or starred it."""
    mine = FalRequest.objects.filter(team=team, endpoint_id=str(endpoint)).order_by("id")
    first = mine.values_list("created_at", flat=True).first()
    if first is not None and first <= at:
        return True
    return TeamEndpoint.objects.filter(team=team, endpoint_id=str(endpoint)).exists()


def cards_of(names: Iterable[str]) -> dict[str, ModelCard]:
    """Return what is stored of fal's list, for the ids that are in it."""
    cards = ModelCard.objects.filter(endpoint_id__in=list(names), is_listed=True)
    return {card.endpoint_id: card for card in cards}


def favourites_of(team: Team, names: Iterable[str]) -> set[str]:
    """Return which of the ids are favourites of the team."""
    kept = TeamEndpoint.objects.filter(team=team, is_favourite=True, endpoint_id__in=list(names))
    return set(kept.values_list("endpoint_id", flat=True))


def set_favourite(
    team: Team, endpoint: EndpointId, *, is_favourite: bool, person: AbstractBaseUser
) -> None:
    """Make it a favourite of the team, or none. Raises TooManyEndpoints."""
    _change(team, endpoint, person, is_favourite=is_favourite)


def set_added(
    team: Team, endpoint: EndpointId, *, is_added: bool, person: AbstractBaseUser
) -> None:
    """Add it to the team's list by hand, or take that back. Raises TooManyEndpoints."""
    _change(team, endpoint, person, is_added=is_added)


def set_document(
    team: Team,
    endpoint: EndpointId,
    document: EndpointDocument | None,
    *,
    person: AbstractBaseUser,
    pasted_at: datetime | None,
    **changed: Any,
) -> None:
    """Use this document in place of fal's, or fal's again. Raises TooManyEndpoints."""
    pasted_by = person if document else None
    pasted = {"document": document, "pasted_by": pasted_by, "pasted_at": pasted_at}
    nothing = {"changed_from": None, "changed_at": None}
    _change(team, endpoint, person, **pasted, **(changed if document else nothing))


def _change(team: Team, endpoint: EndpointId, person: Any, **flags: Any) -> None:
    name, own = str(endpoint), TeamEndpoint.objects.filter(team=team)
    with transaction.atomic():
        if not own.filter(endpoint_id=name).exists() and own.count() >= MOST:
            raise TooManyEndpoints(f"A team keeps {MOST:,} endpoints at most. Remove one first.")
        values = {**flags, "changed_by": person}
        TeamEndpoint.objects.update_or_create(team=team, endpoint_id=name, defaults=values)
        nothing = {"is_added": False, "is_favourite": False, "document": None}
        own.filter(endpoint_id=name, **nothing).delete()


def _own(
    name: str, kept: TeamEndpoint | None, last_request: int, card: ModelCard | None
) -> OwnEndpoint:
    return OwnEndpoint(
        name,
        is_favourite=bool(kept and kept.is_favourite),
        is_added=bool(kept and kept.is_added),
        last_request=last_request,
        card=card,
    )


def _has(words: list[str], one: OwnEndpoint) -> bool:
    text = fold(f"{one.endpoint_id} {one.title} {one.category}")
    return all(word in text for word in words)
