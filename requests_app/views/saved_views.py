"""Views of the list: ours, those that a user keeps, and those that are shared in the team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.forms.saved_view import ViewForm
from requests_app.models import ListPreference, Membership, SavedView
from requests_app.models.compiled import CompiledQuery
from requests_app.views.access import (
    membership_of,
    person_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.list_table import TableLook, look_of_view, preference_of
from requests_app.views.listing import Listing, list_url, page_asked

MENU_COLUMNS = (
    "public_id", "team", "name", "query", "sort", "columns", "density", "is_shared", "owner__username",
)  # fmt: skip
MOST_VIEWS = 100  # of a user in a team
TAKEN = "You have a view of this name already."


@dataclass(frozen=True)
class SystemView:
    """A view that every team has; `{today}` in it is the day in UTC."""

    public_id: str
    name: str
    query: str
    sort: str = ""
    is_shared = False


SYSTEM = {
    view.public_id: view
    for view in (
        SystemView("active", "Active", "status:active"),
        SystemView("failed-today", "Failed today", "status:failed after:{today}"),
        SystemView("slow", "Slow", "duration:>1m", "longest"),
        SystemView("uncertain", "Uncertain", "status:uncertain"),
        SystemView("mine", "Mine", "by:me"),
    )
}


_NAMED: CompiledQuery[SavedView] = CompiledQuery(
    lambda user, team: (
        SavedView.objects.seen_by(user, team).select_related("owner").only(*MENU_COLUMNS)
    )
)


@dataclass(frozen=True)
class ViewMenu:
    """What the menu of views shows."""

    listing: Listing
    membership: Membership
    typed: str  # a name that was refused

    @cached_property
    def saved(self) -> list[SavedView]:
        """Return the user's own views, then those that others share."""
        mine = self.membership.user_id
        named = _NAMED.all(user=mine, team=self.membership.team_id)
        return sorted(named, key=lambda view: view.owner_id != mine)

    @property
    def system(self) -> list[SystemView]:
        return list(SYSTEM.values())

    @cached_property
    def chosen(self) -> SavedView | SystemView | None:
        """Return the view that the page's address names."""
        return self._named(self.listing.view)

    @cached_property
    def preference(self) -> ListPreference:
        """Return the user's choices for this team's list."""
        return preference_of(self.membership)

    @property
    def look_text(self) -> str:
        """Return how the page shows the table, as an address has it."""
        return str(self.look)

    @cached_property
    def look(self) -> TableLook:
        """Return how the page shows the table: as its address says, else the view, else the user."""
        mine = self.preference
        return (
            TableLook.parse(self.listing.table)
            or look_of_view(self.chosen)
            or TableLook.of(mine.columns, mine.density)
        )

    @property
    def says_how(self) -> bool:
        """Whether the chosen view says how the table looks."""
        return look_of_view(self.chosen) is not None

    @cached_property
    def last(self) -> SavedView | SystemView | None:
        """Return the view that was opened last, if it is another one."""
        name = self.preference.last_view
        return self._named(name) if name != self.listing.view else None

    @property
    def may_change(self) -> bool:
        """Whether the chosen view can be saved and deleted by this user."""
        chosen = self.chosen
        return isinstance(chosen, SavedView) and may_change(self.membership, chosen)

    @property
    def is_changed(self) -> bool:
        """Whether the page shows something else than the chosen view was saved with."""
        chosen = self.chosen
        if not isinstance(chosen, SavedView):
            return False
        now = (str(self.listing.search), self.listing.sort, self.look)
        return now != (chosen.query, chosen.sort, look_of_view(chosen) or self.look)

    def _named(self, name: str) -> SavedView | SystemView | None:
        saved = {str(view.public_id): view for view in self.saved}
        return SYSTEM.get(name) or saved.get(name)


def may_change(membership: Membership, view: SavedView) -> bool:
    """Whether the view is the user's own, or shared in a team that the user manages."""
    return view.owner_id == membership.user_id or (view.is_shared and membership.may_manage)


def menu_of(request: HttpRequest, listing: Listing) -> ViewMenu:
    """Return the menu for the list's page."""
    return ViewMenu(listing, membership_of(request), request.GET.get("view_name", "")[:60])


@team_required
@require_safe
def open_view(request: HttpRequest, view_id: str) -> HttpResponse:
    """Lead to the list as the view has it, or to the gallery (`as`), and keep it as the last one."""
    view = SYSTEM.get(view_id) or _get_or_404(request, view_id)
    _keep_last(membership_of(request), view_id)
    return redirect(_url(request, view, now=timezone.now()))


@team_required
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the present search, order and table under a name."""
    membership = membership_of(request)
    form = _form(request)
    if not form.is_valid():
        return _refused(request, form.sentences)
    mine = SavedView.objects.filter(team=membership.team, owner=membership.user)
    if mine.count() >= MOST_VIEWS:
        return _refused(request, [f"You have {MOST_VIEWS} views: delete one first."])
    view = SavedView(team=membership.team, owner=membership.user)
    return _written(request, view, form)


@team_required
@require_POST
def change_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Rename or share a view, or give it the present search, order and table."""
    view = _changeable(request, view_id)
    form = _form(request, was_shared=view.is_shared)
    return _written(request, view, form) if form.is_valid() else _refused(request, form.sentences)


@team_required
@require_POST
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Delete a view; requests stay."""
    view = _changeable(request, view_id)
    view.delete()
    messages.success(request, f"The view “{view.name}” is deleted.")
    team = team_in_links(request)
    return redirect(list_url(view.query, team=team, sort=view.sort, page=_page(request)))


def _form(request: HttpRequest, *, was_shared: bool = False) -> ViewForm:
    """Read the form. A viewer, who changes nothing for others, shares nothing. Raises PermissionDenied."""
    if request.POST.get("is_shared") and not was_shared and not membership_of(request).may_submit:
        raise PermissionDenied
    return ViewForm(request.POST)


def _written(request: HttpRequest, view: SavedView, form: ViewForm) -> HttpResponse:
    values = form.cleaned_data
    view.name, view.is_shared = values["name"], values["is_shared"]
    view.query, view.sort, view.saved_at = values["q"], values["sort"], timezone.now()
    if look := TableLook.parse(values["table"]):
        view.columns, view.density = list(look.columns), look.density
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        return _refused(request, [TAKEN])
    messages.success(request, f"The view “{view.name}” is saved.")
    _keep_last(membership_of(request), str(view.public_id))
    return redirect(_url(request, view, now=view.saved_at))


def _refused(request: HttpRequest, sentences: list[str]) -> HttpResponse:
    """Back to the list with the reasons; what was typed stands in the menu again."""
    for sentence in sentences:
        messages.error(request, sentence)
    given = {name: request.POST.get(name, "")[:300] for name in ("q", "sort", "view")}
    url = list_url(**given, team=team_in_links(request), page=_page(request))
    typed = urlencode({"view_name": request.POST.get("name", "")[:60]})
    return redirect(f"{url}{'&' if '?' in url else '?'}{typed}")


def _get_or_404(request: HttpRequest, view_id: str | UUID) -> SavedView:
    """Return a view the user may see; others, and those of other teams, do not exist."""
    try:
        return SavedView.objects.seen_by(person_of(request).pk, team_of(request).pk).get(
            public_id=UUID(str(view_id))
        )
    except (ValueError, SavedView.DoesNotExist):
        raise Http404 from None


def _changeable(request: HttpRequest, view_id: UUID) -> SavedView:
    view = _get_or_404(request, view_id)
    if not may_change(membership_of(request), view):
        raise PermissionDenied
    return view


def _url(request: HttpRequest, view: SavedView | SystemView, *, now: datetime) -> str:
    query = view.query
    if isinstance(view, SystemView):
        query = query.format(today=now.astimezone(UTC).date().isoformat())
    team, page = team_in_links(request), _page(request)
    return list_url(query, team=team, sort=view.sort, view=str(view.public_id), page=page)


def _page(request: HttpRequest) -> str:
    """Return the page from which the menu was used."""
    return page_asked(request.GET.get("as", "") or request.POST.get("as", ""))


def _keep_last(membership: Membership, view_id: str) -> None:
    ListPreference.objects.update_or_create(
        user=membership.user, team=membership.team, defaults={"last_view": view_id}
    )
