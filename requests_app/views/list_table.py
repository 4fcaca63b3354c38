"""How a user likes the list's table: optional columns and density, kept for each team."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from requests_app.models import ListPreference, Membership
from requests_app.views.access import membership_of, team_in_links, team_required
from requests_app.views.listing import list_url

# The class of the cells is `row-` and the name, that of a table with them `with-` and the name.
COLUMNS = {
    "id": "Id",
    "request": "fal's request id",
    "kind": "Error type",
    "units": "Units billed",
    "cost": "Cost",
}
DENSITIES = ("", "compact")


def preference_of(membership: Membership) -> ListPreference:
    """Return the member's choices, or the usual ones."""
    of_member = ListPreference.objects.filter(user=membership.user_id, team=membership.team_id)
    return of_member.first() or ListPreference()


@team_required
@require_POST
def set_table(request: HttpRequest) -> HttpResponse:
    """Keep the choice and show the list again; what is not offered is left out."""
    membership = membership_of(request)
    density = request.POST.get("density", "")
    chosen = request.POST.getlist("columns")
    ListPreference.objects.update_or_create(
        user=membership.user,
        team=membership.team,
        defaults={
            "columns": [name for name in COLUMNS if name in chosen],
            "density": density if density in DENSITIES else "",
        },
    )
    given = {name: request.POST.get(name, "")[:300] for name in ("q", "sort", "view")}
    return redirect(list_url(team=team_in_links(request), **given))
