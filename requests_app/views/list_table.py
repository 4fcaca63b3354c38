"""How the list's table looks: optional columns and density. A user's own, a view's, or what the address says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from requests_app.models import ListPreference, Membership, SavedView
from requests_app.views.access import membership_of, team_in_links, team_required
from requests_app.views.listing import list_url

# The class of the cells is `row-` and the name, that of a table with them `with-` and the name.
COLUMNS = {
    "id": "Id",
    "request": "fal's request id",
    "origin": "Source",
    "key": "fal key",
    "seed": "Seed",
    "kind": "Error type",
    "webhook": "Webhook",
    "size": "Output size",
    "units": "Units billed",
    "cost": "Cost",
}
DENSITIES = ("", "compact")


@dataclass(frozen=True)
class TableLook:
    """Optional columns, in the table's order, and the density."""

    columns: tuple[str, ...] = ()
    density: str = ""

    @classmethod
    def of(cls, columns: Collection[str], density: str) -> TableLook:
        """Take what is offered, and leave out the rest."""
        known = tuple(name for name in COLUMNS if name in columns)
        return cls(known, density if density in DENSITIES else "")

    @classmethod
    def parse(cls, text: str) -> TableLook | None:
        """Read the form that an address has; None for the empty one."""
        return (
            cls.of(text.split("."), "compact" if "compact" in text.split(".") else "")
            if text
            else None
        )

    def __str__(self) -> str:
        return ".".join(filter(None, [*self.columns, self.density])) or "plain"

    @property
    def classes(self) -> str:
        """Return the classes of the table: rows are the same whatever is shown of them."""
        return " ".join([*(f"with-{name}" for name in self.columns), self.density])


def preference_of(membership: Membership) -> ListPreference:
    """Return the member's choices, or the usual ones."""
    of_member = ListPreference.objects.filter(user=membership.user_id, team=membership.team_id)
    return of_member.first() or ListPreference()


def look_of_view(view: object) -> TableLook | None:
    """Return how a view shows the table, if it says so."""
    if not isinstance(view, SavedView) or view.columns is None:
        return None
    return TableLook.of(view.columns, view.density or "")


@team_required
@require_POST
def set_table(request: HttpRequest) -> HttpResponse:
    """Show the list so, and keep it as the user's own, unless a view says how the table looks: then it is the page's."""
    membership = membership_of(request)
    look = TableLook.of(request.POST.getlist("columns"), request.POST.get("density", ""))
    given = {name: request.POST.get(name, "")[:300] for name in ("q", "sort", "view")}
    if request.POST.get("of_view"):
        given["table"] = str(look)
    else:
        ListPreference.objects.update_or_create(
            user=membership.user,
            team=membership.team,
            defaults={"columns": list(look.columns), "density": look.density},
        )
    return redirect(list_url(team=team_in_links(request), **given))
