"""The requests before and after one, in the list it was opened from: by its search in the query string."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from requests_app.models import FalRequest
from requests_app.views.access import memberships
from requests_app.views.listing import Listing


@dataclass(frozen=True)
class Neighbours:
    """Addresses: the next newer and older request of the list (empty at its ends), and the list."""

    newer: str
    older: str
    back: str
    search: str
    kept: str  # what links on the page carry on of the query


def neighbours_of(request: HttpRequest, row: FalRequest) -> Neighbours:
    """Look from the row's own key in both directions: the row itself may match no more."""
    listing = Listing.of(request, team=row.team)
    matching = listing.ordered
    newer = next(iter(matching.oldest(1, above=row.pk)), None)
    older = next(iter(matching.newest(1, below=row.pk)), None)
    pairs = listing.everything.filter(pk__in=[key for key in (newer, older) if key is not None])
    ids = dict(pairs.values_list("pk", "public_id"))
    q = request.GET.get("q", "")

    def address(key: int | None) -> str:
        return (
            f"{reverse('requests:detail', args=[ids[key]])}{query_of(q, sort=listing.sort)}"
            if key in ids
            else ""
        )

    in_team = {"team": row.team_id} if len(memberships(request)) > 1 else {}
    back = query_of(q, sort=listing.sort, **in_team)
    return Neighbours(
        newer=address(newer),
        older=address(older),
        back=f"{reverse('requests:list')}{back}#request-{row.public_id}",
        search=q,
        kept=query_of(q, sort=listing.sort).removeprefix("?"),
    )


def query_of(q: str, *, sort: str = "", **more: int) -> str:
    """Write the search and its order as links to a request carry them; without any nothing."""
    named = {name: value for name, value in {**more, "q": q, "sort": sort}.items() if value}
    return f"?{urlencode(named)}" if named else ""
