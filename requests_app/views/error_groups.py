"""Errors grouped: the list of groups, the page of one, and what a member decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.catalogue import store
from requests_app.display.explain import explain
from requests_app.display.output_download import output_for_page
from requests_app.error_groups import deciding, history
from requests_app.error_groups.shelf import (
    DAYS,
    ORDERS,
    GroupFilters,
    GroupShelf,
    find_group,
    name_of,
    requests_of,
    trends,
)
from requests_app.models import HIDDEN, ErrorGroup, FalRequest
from requests_app.rules.error_sentence import id_of, key_in
from requests_app.views.access import (
    member_required,
    membership_of,
    person_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.listing import list_url

NEWEST = 10  # requests on a group's page
MOST_PEOPLE = 10
MOST_DECISIONS = 20
NEAR = timedelta(days=3)  # of a change of the endpoint's schema and the beginning of an error
HOURS_6, DAY = timedelta(hours=6), timedelta(days=1)
WORDS = {"all": "All", "open": "Open", "resolved": "Resolved", "ignored": "Ignored"}


@require_safe
@team_required
def errors(request: HttpRequest) -> HttpResponse:
    """List the groups: GET /errors/?state=&endpoint=&type=&by=&days=&sort=&page=."""
    asked, sees = GroupFilters.of(request.GET.dict()), membership_of(request).sees
    shelf = GroupShelf(team_of(request), timezone.now(), asked, sees=sees)
    states = shelf.states()
    context = {
        **_shown(request, shelf),
        "asked": asked,
        "tabs": [
            (word, _url(request, asked, state=state), states[state], state == asked.state)
            for state, word in WORDS.items()
        ],
        "endpoints": shelf.endpoints(),
        "kinds": shelf.kinds(),
        "days": DAYS,
        "orders": {name: word for name, (word, _) in ORDERS.items()},
        "percent": history.percent(),
        "clear_url": _url(request, GroupFilters(state=asked.state)),
        "hidden": "" if sees else HIDDEN,
        "is_empty": not states["all"] and not asked.narrows,
    }
    is_part = bool(request.headers.get("HX-Request"))
    return render(request, "errors/_live.html" if is_part else "errors/errors.html", context)


def _shown(request: HttpRequest, shelf: GroupShelf) -> dict[str, Any]:
    """Return the groups of the page with their trends, and the addresses of it and of its neighbours."""
    groups, has_more = shelf.page()
    by_group = trends(groups, shelf.now, part=HOURS_6, parts=28)
    asked, page = shelf.asked, shelf.asked.page
    return {
        "groups": [(group, by_group[group.pk]) for group in groups],
        "here": _url(request, asked, page=page if page > 1 else ""),
        "newer_url": _url(request, asked, page=page - 1) if page > 1 else "",
        "older_url": _url(request, asked, page=page + 1) if has_more else "",
    }


def _url(request: HttpRequest, asked: GroupFilters, **changed: Any) -> str:
    query = asked.query(
        **({"state": state} if (state := changed.pop("state", None)) else {}), **changed
    )
    if query.get("state") == GroupFilters.state:
        del query["state"]
    if team := team_in_links(request):
        query["team"] = str(team)
    return f"{reverse('requests:errors')}{'?' if query else ''}{urlencode(query)}"


@require_safe
@team_required
def error_group(request: HttpRequest, group_id: str) -> HttpResponse:
    """Show one group. One that is not counted yet leads to its requests."""
    group = _find(request, group_id)
    if group is None:
        key = key_in(group_id) if membership_of(request).sees else None
        uncounted = FalRequest.objects.filter(team=team_of(request), error_key=key)
        if key is None or not uncounted.exists():
            raise Http404
        return redirect(requests_url(request, key))
    is_part = bool(request.headers.get("HX-Request"))
    context = _context(request, group, is_part=is_part)
    return render(request, "errors/_group_live.html" if is_part else "errors/group.html", context)


def _find(request: HttpRequest, name: str) -> ErrorGroup | None:
    mine = membership_of(request)
    return find_group(mine.team_id, name, sees=mine.sees)


def requests_url(request: HttpRequest, key: int) -> str:
    """Return the address of the list of a group's requests."""
    return list_url(q=f"group:{id_of(key)}", team=team_in_links(request))


def group_url(request: HttpRequest, group: ErrorGroup) -> str:
    """Return the address of a group."""
    query = f"?team={team}" if (team := team_in_links(request)) else ""
    return reverse("requests:error_group", args=[name_of(group)]) + query


def _context(request: HttpRequest, group: ErrorGroup, *, is_part: bool) -> dict[str, Any]:
    now = timezone.now()
    newest = requests_of(group).select_related("person").without_payload().order_by("-pk")
    rows = list(newest.shown_to(sees=not group.is_hidden)[:NEWEST])
    people = group.of_people.select_related("person").order_by("-count", "person__username")
    decisions = group.decisions.select_related("person").order_by("-pk")
    context = {
        "group": group,
        "trend": trends([group], now, part=DAY, parts=30)[group.pk],
        "rows": rows,
        "people": people[:MOST_PEOPLE],
        "decisions": decisions[:MOST_DECISIONS],
        "here": group_url(request, group),
        "changed_at": _changed_at(group),
        "hidden": HIDDEN if group.is_hidden else "",
    }
    if group.is_hidden:
        return context
    context |= {"list_url": requests_url(request, group.key), "query": f"group:{id_of(group.key)}"}
    if not is_part and rows:
        newest_row = newest.model.objects.get(pk=rows[0].pk)
        body = output_for_page(newest_row) if newest_row.output_size else b""
        context["explanation"] = explain(newest_row, body)
    return context


def _changed_at(group: ErrorGroup) -> datetime | None:
    """Return when the endpoint's schema changed, if that was about when this began or came again."""
    holder = store.holder(group.endpoint_id, group.team) if group.endpoint_id else None
    at = holder.changed_at if holder else None
    began = [moment for moment in (group.first_seen, group.regressed_at) if moment]
    return at if at and any(abs(at - moment) <= NEAR for moment in began) else None


_ACTS: dict[str, tuple[Callable[..., bool], str]] = {
    "resolve": (deciding.resolve, "Resolved. If it comes again, it is open again."),
    "ignore": (deciding.ignore, "Ignored."),
    "reopen": (deciding.reopen, "Open again."),
    "note": (deciding.add_note, "The note is kept."),
}


@member_required
@require_POST
def decide_error(request: HttpRequest, group_id: str) -> HttpResponse:
    """Resolve, ignore or reopen a group, or keep a note with it: POST `act` and `note`."""
    group = _find(request, group_id)
    if group is None:
        raise Http404
    act, note = request.POST.get("act", ""), request.POST.get("note", "").strip()
    if act not in _ACTS:
        messages.error(request, "Choose to resolve, ignore or reopen it, or to keep a note.")
        return redirect(group_url(request, group))
    if len(note) > deciding.LONGEST_NOTE:
        context = _context(request, group, is_part=False)
        problem = (
            f"A note has at most {deciding.LONGEST_NOTE:,} characters; this has {len(note):,}."
        )
        return render(
            request, "errors/group.html", context | {"typed": note, "problem": problem}, status=422
        )
    decide, words = _ACTS[act]
    if decide(group, person=person_of(request), now=timezone.now(), note=note):
        messages.success(request, words)
    elif act == "note":
        messages.error(request, "Type the note first.")
    else:
        messages.info(request, "Nothing was changed: that had been decided before.")
    return redirect(group_url(request, group))
