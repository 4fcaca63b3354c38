"""How the list's table looks: optional columns in their order, and density. The user's, a view's or the address's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from requests_app.display.columns import COLUMNS, TableColumn, in_order
from requests_app.models import ListPreference, Membership, SavedView
from requests_app.models.compiled import CompiledQuery
from requests_app.views.access import membership_of, team_in_links, team_required
from requests_app.views.listing import list_url

DENSITIES = ("", "compact")
STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class TableLook:
    """The optional columns that are shown, in their order, and the density."""

    columns: tuple[str, ...] = ()
    density: str = ""

    @classmethod
    def of(cls, columns: Iterable[str], density: str) -> TableLook:
        """Take what is offered, each once, in the given order, and leave out the rest."""
        known = tuple(dict.fromkeys(name for name in columns if name in COLUMNS))
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
    def all_columns(self) -> list[TableColumn]:
        """Return every optional column, the shown ones first: what is hidden is in the rows too."""
        return in_order(self.columns)

    def moved(self, move: str) -> TableLook:
        """Return the look after `<name>.up` or `<name>.down`, which swaps a shown column with its neighbour."""
        name, _, way = move.partition(".")
        step = STEPS.get(way, 0)
        if name not in self.columns:
            return self
        place = self.columns.index(name)
        rest = [one for one in self.columns if one != name]
        rest.insert(max(0, place + step), name)
        return replace(self, columns=tuple(rest))

    @property
    def classes(self) -> str:
        """Return the classes of the table: rows are the same whatever is shown of them."""
        return " ".join([*(f"with-{name}" for name in self.columns), self.density])


_OF_MEMBER: CompiledQuery[ListPreference] = CompiledQuery(
    lambda user, team: ListPreference.objects.filter(user=user, team=team)
)


def preference_of(membership: Membership) -> ListPreference:
    """Return the member's choices, or the usual ones."""
    found = _OF_MEMBER.first(user=membership.user_id, team=membership.team_id)
    return found or ListPreference()


def look_of_view(view: object) -> TableLook | None:
    """Return how a view shows the table, if it says so."""
    if not isinstance(view, SavedView) or view.columns is None:
        return None
    return TableLook.of(view.columns, view.density or "")


@team_required
@require_POST
def set_table(request: HttpRequest) -> HttpResponse:
    """Show the list so, and keep it as the user's own, unless a view says how the table looks: then it is the page's.

    The columns come in their order. `move` is the button that moves one of them: the address then ends in that
    button's id, so that without scripts the browser opens the menu again and puts the focus back.
    """
    membership = membership_of(request)
    move = request.POST.get("move", "")
    look = TableLook.of(request.POST.getlist("columns"), request.POST.get("density", ""))
    look = look.moved(move)
    given = {name: request.POST.get(name, "")[:300] for name in ("q", "sort", "view")}
    if request.POST.get("of_view"):
        given["table"] = str(look)
    else:
        ListPreference.objects.update_or_create(
            user=membership.user,
            team=membership.team,
            defaults={"columns": list(look.columns), "density": look.density},
        )
    url = list_url(team=team_in_links(request), **given)
    name, _, way = move.partition(".")
    return redirect(f"{url}#column-{name}-{way}" if name in COLUMNS and way in STEPS else url)
