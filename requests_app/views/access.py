"""Access checks. Every look-up starts from the user's teams."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from requests_app.models import HIDDEN, FalRequest, Membership, Right, Team
from requests_app.models.permissions import ALWAYS, TABLE
from requests_app.teams.choice import (
    MadeFor,
    NeedsFactor,
    NotChosen,
    NoTeam,
    chosen_id,
    chosen_membership,
    every_membership_of,
    in_team,
)
from requests_app.views.login import CAUSE, is_script, login_required, way_back

View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
FACTOR_NEEDED = "{} requires two factors. Set up a second one for your account, then go on."
MOST_NAMED = 5  # of those who can let a member see inputs and outputs
WANTED = "wanted"  # in the session: the page that waits for a second factor
FIELD, HEADER = "made_for", "X-Made-For"  # where a page names the team it was made for


def said_by(request: HttpRequest) -> MadeFor | None:
    """Read the team a write was made for: a form sends it as a field, a script as a header."""
    text = request.POST.get(FIELD) if request.method == "POST" else None
    return MadeFor.parse(request.headers.get(HEADER, "") if text is None else text)


def memberships(request: HttpRequest) -> list[Membership]:
    """Return the user's memberships that this log-in opens; queried once per request."""
    return [one for one in _every_membership(request) if not one.is_held_back]


def held_back(request: HttpRequest) -> list[Membership]:
    """Return the others: of teams that require two factors, while the user has no second one."""
    return [one for one in _every_membership(request) if one.is_held_back]


def _every_membership(request: HttpRequest) -> list[Membership]:
    if not hasattr(request, "_memberships"):
        request._memberships = every_membership_of(request.user)  # type: ignore[attr-defined]
    mine: list[Membership] = request._memberships  # type: ignore[attr-defined]
    return mine


def membership_of(request: HttpRequest) -> Membership:
    """Return the membership in the page's team. Raises NoTeam, NotChosen, of which NeedsFactor is one.

    For a write the guard (`team_guard`) has set it. A page reads for the team in its address
    (`?team=`) or its header, which may differ from the chosen one, and for the chosen one when it
    names none.
    """
    if not hasattr(request, "_membership"):
        request._membership = _find_membership(request)  # type: ignore[attr-defined]
    membership: Membership = request._membership  # type: ignore[attr-defined]
    return membership


def team_in_links(request: HttpRequest) -> int | None:
    """Return the team that links must name, for a user who is in several."""
    return membership_of(request).team_id if len(memberships(request)) > 1 else None


def keep_membership(request: HttpRequest, membership: Membership) -> None:
    """Set the team of this request for all later checks."""
    request._membership = membership  # type: ignore[attr-defined]


def _find_membership(request: HttpRequest) -> Membership:
    if not request.user.is_authenticated:
        raise NoTeam
    named = request.GET.get("team") or request.headers.get(HEADER)
    if request.method in SAFE and named:
        return _named_membership(request, named)
    mine, others = memberships(request), held_back(request)
    waiting = in_team(others, chosen_id(request.session)) or (
        others[0] if others and not mine else None
    )
    if waiting:
        raise NeedsFactor(waiting)
    return chosen_membership(mine, request.session)


def _named_membership(request: HttpRequest, named: str) -> Membership:
    said = MadeFor.parse(named)
    membership = in_team(memberships(request), said.team_id) if said else None
    if said and (waiting := in_team(held_back(request), said.team_id)):
        raise NeedsFactor(waiting)
    if membership is None:
        raise NotChosen(is_lost=True)
    return membership


def team_of(request: HttpRequest) -> Team:
    """Return the team whose requests the page shows."""
    return membership_of(request).team


def person_of(request: HttpRequest) -> AbstractBaseUser:
    """Return the logged-in user, for views that require one."""
    return cast(AbstractBaseUser, request.user)


class Hidden(PermissionDenied):
    """The member may not see inputs and outputs of the team; the message says who can change that."""

    def __init__(self, team_id: int) -> None:
        managers = Membership.objects.filter(team=team_id, role__in=TABLE[Right.MANAGE])
        can_give = managers.filter(Q(role__in=ALWAYS) | Q(sees_payloads=True))
        found = can_give.filter(user__is_active=True).order_by("user__username")
        names = list(found.values_list("user__username", flat=True)[: MOST_NAMED + 1])
        more = " and others" if len(names) > MOST_NAMED else ""
        super().__init__(f"{HIDDEN} Ask {', '.join(names[:MOST_NAMED])}{more}.")


def get_request_or_404(
    user: Any, public_id: UUID | str, *, full: bool = True, may_be_hidden: bool = False
) -> FalRequest:
    """Return the request if it belongs to one of the user's teams; a foreign one does not exist.

    Without `full` the columns that can hold megabytes are left out. `may_be_hidden`: the caller shows a row
    without its input and output, and so gets one (`is_hidden`) where the user may not see them. Raises Hidden.
    """
    rows = FalRequest.objects.select_related("team", "person", "again_of").defer(
        "again_of__input_text", "again_of__output", "again_of__search_text"
    )
    rows = (rows if full else rows.without_payload()).read_by(user.pk)
    try:
        row = rows.get(team__in=Team.objects.of(user), public_id=public_id)
    except (FalRequest.DoesNotExist, ValidationError) as error:
        raise Http404 from error
    if row.is_hidden and not may_be_hidden:
        raise Hidden(row.team_id)
    return row


def get_actable_or_404(
    request: HttpRequest, public_id: UUID | str, *, may_be_hidden: bool = True
) -> FalRequest:
    """Return a request the user may act on; viewers are refused (403). `may_be_hidden`: see above."""
    row = get_request_or_404(request.user, public_id, may_be_hidden=may_be_hidden)
    if not may_act_on(request, row):
        raise PermissionDenied
    return row


def may_act_on(request: HttpRequest, row: FalRequest) -> bool:
    """Whether the user's role in the row's team, be it the page's or not, allows to submit."""
    membership = in_team(memberships(request), row.team_id)
    return membership is not None and membership.may_submit


def may_delete(request: HttpRequest, row: FalRequest) -> bool:
    """Whether the user manages the row's team, and the row has ended."""
    membership = in_team(memberships(request), row.team_id)
    return membership is not None and membership.may_manage and row.is_ended


def sees_in(request: HttpRequest, team_id: int) -> bool:
    """Whether the user sees inputs and outputs in this team."""
    membership = in_team(memberships(request), team_id)
    return membership is not None and membership.sees


def sees_required(request: HttpRequest) -> None:
    """Refuse a reader who may not see inputs and outputs in the page's team. Raises Hidden."""
    if not (mine := membership_of(request)).sees:
        raise Hidden(mine.team_id)


def team_required(view: View) -> View:
    """Require a log-in and a team: without one, say so or ask the user to choose."""

    @login_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            membership_of(request)
        except NoTeam:
            return render(request, "teams/no_team.html", status=403)
        except NeedsFactor as error:
            return ask_for_factor(request, error.membership)
        except NotChosen as error:
            return ask_to_choose(request, error)
        _arrived(request)
        return view(request, *args, **kwargs)

    return inner


def member_required(view: View) -> View:
    """Like `team_required`, and the user's role in the team must allow to submit."""

    @team_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not membership_of(request).may_submit:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner


def in_team_of_source(view: View) -> View:
    """Show a page that starts from an earlier request (`?again=`) in that request's team."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        team_id = _source_team(request)
        if team_id is not None:
            query = request.GET.copy()
            query["team"] = str(team_id)
            return redirect(f"{request.path}?{query.urlencode()}")
        return view(request, *args, **kwargs)

    return inner


def _source_team(request: HttpRequest) -> int | None:
    """Return the source's team if it differs from the page's."""
    again = request.GET.get("again")
    if request.method not in SAFE or not again or not request.user.is_authenticated:
        return None
    try:
        row = get_request_or_404(request.user, again, full=False, may_be_hidden=True)
    except Http404:
        return None  # the view handles this itself
    try:
        here = membership_of(request).team_id
    except (NoTeam, NotChosen):
        return row.team_id
    return None if here == row.team_id else row.team_id


def ask_to_choose(request: HttpRequest, error: NotChosen) -> HttpResponse:
    """Return 409 and the user's teams; choosing one leads back here."""
    if is_script(request):
        return JsonResponse(
            {"detail": "Choose a team: you are not in the one asked for."}, status=409
        )
    leads_back = request.method == "GET" and "team" not in request.GET
    context = {"is_lost": error.is_lost, "next": request.get_full_path() if leads_back else ""}
    return render(request, "teams/choose_team.html", context, status=409)


def waiting_page(request: HttpRequest) -> dict[str, Any] | None:
    """Return the page that waited for a second factor, once its team lets the user in."""
    wanted: dict[str, Any] = request.session.get(WANTED) or {}
    mine = in_team(memberships(request), wanted.get("team"))
    return {"team": mine.team, "path": wanted["path"]} if mine else None


def _arrived(request: HttpRequest) -> None:
    wanted = request.session.get(WANTED)
    if wanted and wanted["team"] == membership_of(request).team_id:
        del request.session[WANTED]


def ask_for_factor(request: HttpRequest, mine: Membership) -> HttpResponse:
    """Return 403: the team requires two factors. The page leads to the set-up, and from there back here."""
    if is_script(request):
        reply: HttpResponse = JsonResponse(
            {"detail": FACTOR_NEEDED.format(mine.team.name)}, status=403
        )
    else:
        request.session[WANTED] = {"team": mine.team_id, "path": way_back(request)}
        made_for = MadeFor.of(mine.team_id, request.session)
        context = {"held_team": mine.team, "held_made_for": str(made_for)}
        reply = render(request, "teams/needs_factor.html", context, status=403)
    reply[CAUSE] = "factor"
    return reply
