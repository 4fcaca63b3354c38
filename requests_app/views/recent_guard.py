"""Ask who has not proved lately who they are to confirm it, before what would outlast a stolen session.

This is middleware with one table. Its page (403) asks for the password and carries the form, sealed; the right
password sends exactly that form on to its view. A recent log-in is asked nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from requests_app.accounts.adapter import TOO_MANY
from requests_app.accounts.recent import CARRIED, PREFIX, NotCarried, is_recent, seal, unseal
from requests_app.forms.account import PasswordAgainForm
from requests_app.models import Membership, Role
from requests_app.sso.flow import PROVIDER
from requests_app.teams.choice import NotChosen, NoTeam
from requests_app.views.access import membership_of, person_of
from requests_app.views.login import CAUSE, is_script, way_back
from requests_app.views.team_guard import NAMESPACE

CONFIRM = "Confirm that it is you: log in again, then try once more. Nothing has changed."

Applies = Callable[[HttpRequest, Membership, Mapping[str, Any]], bool]


def _member(request: HttpRequest, mine: Membership, kwargs: Mapping[str, Any]) -> bool:
    return True


def _manages(request: HttpRequest, mine: Membership, kwargs: Mapping[str, Any]) -> bool:
    return mine.may_manage


def _owns(request: HttpRequest, mine: Membership, kwargs: Mapping[str, Any]) -> bool:
    return mine.role == Role.OWNER


def _changes_owner(request: HttpRequest, mine: Membership, kwargs: Mapping[str, Any]) -> bool:
    if not mine.may_manage:
        return False
    people = Membership.objects.filter(team_id=mine.team_id, pk=kwargs["pk"], role=Role.OWNER)
    return request.POST.get("role") == Role.OWNER or people.exists()


# Route -> whom it concerns; the view refuses all others, without a question.
GUARDED: dict[str, Applies] = {
    "make_token": _member,
    "add_fal_key": _manages,
    "replace_fal_key": _manages,
    "add_destination": _manages,
    "change_destination": _manages,
    "rotate_destination": _manages,
    "invite": _manages,
    "add_member": _manages,
    "make_reset_link": _manages,
    "change_role": _changes_owner,
    "transfer_team": _owns,
    "require_factors": _owns,
    "delete_team": _owns,
}


class RecentGuard:
    """The middleware; runs after `TeamGuard`, which has found the team of a write."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Ask; or let the view run, with the form that was carried when there is one."""
        match = request.resolver_match
        if request.method != "POST" or match is None or match.namespace != NAMESPACE:
            return None
        applies = GUARDED.get(match.url_name or "")
        if applies is None or not request.user.is_authenticated:
            return None
        try:
            mine = membership_of(request)
        except (NoTeam, NotChosen):
            return None  # the view says so
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
        said = request.POST
        if CARRIED in said:
            try:
                request.POST = unseal(request, mine.team_id)  # type: ignore[assignment]
            except NotCarried:
                return _page(request, {"is_lost": True})
        if not applies(request, mine, kwargs) or is_recent(request):
            return None
        return _confirmed(request, said, mine)


def _confirmed(request: HttpRequest, said: QueryDict, mine: Membership) -> HttpResponse | None:
    """Return None when the password that was said is right, else the page that asks for it."""
    if is_script(request):
        return _refused(JsonResponse({"detail": CONFIRM}, status=403))
    person = person_of(request)
    takes_password = settings.PASSWORD_LOGIN and person.has_usable_password()
    is_said = takes_password and f"{PREFIX}-password" in said
    form = PasswordAgainForm(said if is_said else None, user=person, prefix=PREFIX)
    form.use_required_attribute = False  # who has confirmed it by a factor needs no password
    if is_said and form.is_valid():
        record_authentication(request, person, "password", reauthenticated=True)
        return None
    carried = said[CARRIED] if CARRIED in said else seal(request, mine.team_id)
    others = [
        one
        for one in get_adapter().get_reauthentication_methods(person)
        if one["id"] != "reauthenticate"
    ]
    context = {
        "form": form if takes_password else None,
        "carried": carried,
        "others": others,
        "provider": PROVIDER if settings.OIDC_ISSUER else "",
        "provider_name": settings.OIDC_NAME,
        "is_unconfirmed": CARRIED in said and not is_said,
        # Sent by the page that asks, the page it came from would be a POST of the same address.
        "back": reverse("requests:settings") if CARRIED in said else way_back(request),
    }
    reply = _page(request, context)
    for error in form.errors.as_data().get("password", []):
        if error.code == TOO_MANY and error.params:
            reply.status_code = 429
            reply["Retry-After"] = str(error.params["seconds"])
    return reply


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return _refused(render(request, "account/confirm.html", context, status=403))


def _refused(reply: HttpResponse) -> HttpResponse:
    reply[CAUSE] = "recent"  # for scripts, and in the audit trail
    return reply
