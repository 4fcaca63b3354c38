"""The settings of the chosen team: the page, and what is done about members.

A new invitation link is shown in the reply to the POST that created it, and never again.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.copies.rules import figures
from requests_app.forms.copies import CopyRulesForm
from requests_app.forms.duplicates import DuplicatesForm
from requests_app.forms.fal_key import FalKeyForm
from requests_app.forms.fault_lab import FaultForm
from requests_app.forms.members import AddForm, RoleForm
from requests_app.forms.token import TokenForm
from requests_app.keys import keeping
from requests_app.models import FalKey, Invitation, Membership, Role, TokenScope, permissions
from requests_app.teams import duplicates, invitations, members, tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.teams.reset_links import has_verified_address
from requests_app.views.access import View, membership_of, team_required


@team_required
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show members and the user's own tokens to all; owners and admins can also change members."""
    return page(request)


def page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """Render the settings; `more` replaces a part of what they show, such as a refused form."""
    mine = membership_of(request)
    people = mine.team.memberships.filter(is_service=False)
    copies = figures(mine.team)
    context = {
        "has_mail_server": bool(settings.EMAIL_HOST),
        "members": people.select_related("user")
        .with_factor()
        .annotate(has_address=has_verified_address())
        .order_by("user__username"),
        "invitations": Invitation.objects.live(timezone.now()).filter(team=mine.team),
        "tokens": tokens.own(mine),
        "service_tokens": tokens.of_service(mine),
        "others_tokens": tokens.of_others(mine),
        "scopes": list(TokenScope),
        "token_form": TokenForm.empty(),
        **_fal_keys(mine),
        "permissions": permissions.lines(),
        "roles": [role for role in Role if role != Role.OWNER or mine.role == Role.OWNER],
        "add_form": AddForm(),
        "copies": copies,
        "copies_form": CopyRulesForm.of(copies.rules),
        "duplicates_form": DuplicatesForm(initial={"minutes": mine.team.duplicate_minutes}),
        **more,
    }
    if mine.may_manage:
        _give_fault_forms(context)
    return render(request, "teams/settings.html", context, status=status)


def _give_fault_forms(context: dict[str, Any]) -> None:
    """Give each token the form of its fault lab; one that was refused stays as it was typed."""
    refused: FaultForm | None = context.get("fault_form")
    for name in ("tokens", "service_tokens", "others_tokens"):
        context[name] = list(context[name])
        for token in context[name]:
            is_it = refused is not None and refused.token.pk == token.pk
            token.lab_form = refused if is_it else FaultForm(token=token)


def _fal_keys(mine: Membership) -> dict[str, Any]:
    """Return what owners and admins see of the team's fal keys; a removed one while requests need it."""
    if not mine.may_manage:
        return {}
    keys = list(FalKey.objects.filter(team=mine.team).defer("encrypted").select_related("made_by"))
    waiting = keeping.open_requests(keys)
    shown = [key for key in keys if key.removed_at is None or key.pk in waiting]
    return {
        "fal_keys": [(key, waiting.get(key.pk, 0)) for key in shown],
        "fal_key_form": FalKeyForm(),
        "has_installation_key": bool(settings.FAL_KEY),
    }


def manages(view: View) -> View:
    """Require a POST by an owner or admin; a refusal is shown as a message on the settings page."""

    @team_required
    @require_POST
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not membership_of(request).may_manage:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except TeamChangeRefused as refused:
            messages.error(request, str(refused))
            return redirect("requests:settings")

    return inner


@manages
def add_member(request: HttpRequest) -> HttpResponse:
    """Invite a user by name; the answer does not reveal whether that user exists."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return page(request, status=422, add_form=form)
    mine, name = membership_of(request), form.cleaned_data["username"]
    try:
        invitations.offer(mine.team, name, form.cleaned_data["role"], by=mine, now=timezone.now())
    except TeamChangeRefused as refused:
        form.add_error("username", str(refused))
        return page(request, status=422, add_form=form)
    return _said(
        request, f"Invited. If “{name}” has an account here, the invitation is in its menu now."
    )


@manages
def set_duplicates(request: HttpRequest) -> HttpResponse:
    """Choose how long the team is asked about the same input; empty is never."""
    form = DuplicatesForm(request.POST)
    if not form.is_valid():
        return page(request, status=422, duplicates_form=form)
    minutes = form.cleaned_data["minutes"]
    duplicates.set_minutes(membership_of(request).team, minutes)
    if minutes is None:
        return _said(request, "The same request is submitted again without a question.")
    return _said(
        request, f"The same request is asked about while it is open and for {minutes} min."
    )


@manages
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = member_or_404(request, pk)
    role = _role(request)
    members.change_role(member, role, by=membership_of(request))
    return _said(request, f"{member.user.get_username()} is {Role(role).label.lower()} now.")


@manages
def change_sight(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether a member sees inputs and outputs: `sees=1` or `0`."""
    member, sees = member_or_404(request, pk), request.POST.get("sees") == "1"
    members.set_sight(member, sees_payloads=sees, by=membership_of(request))
    name = member.user.get_username()
    if sees:
        return _said(request, f"{name} sees inputs and outputs now.")
    words = f"Inputs and outputs are hidden from {name} now."
    return _said(request, words + _left_behind(member))


@manages
def remove_member(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a member from the team."""
    member = member_or_404(request, pk)
    links = members.remove(member, by=membership_of(request))
    words = f"{member.user.get_username()} has left the team."
    if links:
        works = "1 open invitation link still works" if links == 1 else f"{links} open invitation links still work"  # fmt: skip
        words += f" {works}: withdraw what they may know of."
    return _said(request, words + _left_behind(member))


def _left_behind(member: Membership) -> str:
    """Say how many service tokens a member may still use, whatever their own rights are."""
    made = tokens.left_behind(member, now=timezone.now())
    if not made:
        return ""
    still = "1 service token that they made still works" if made == 1 else f"{made} service tokens that they made still work"  # fmt: skip
    return f" {still}: revoke what they may know."


@manages
def invite(request: HttpRequest) -> HttpResponse:
    """Create a link for one new member, and show it once."""
    mine = membership_of(request)
    secret = invitations.invite(mine.team, _role(request), by=mine, now=timezone.now())
    link = request.build_absolute_uri(reverse("requests:join", args=[secret]))
    return page(request, status=201, new_link=link)


@manages
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """End an unused invitation."""
    if not invitations.withdraw(membership_of(request).team, pk, now=timezone.now()):
        raise Http404
    return _said(request, "The invitation is withdrawn.")


def member_or_404(request: HttpRequest, pk: int) -> Membership:
    """Return a member of the chosen team; a foreign one does not exist."""
    people = Membership.objects.select_related("user").filter(
        team=membership_of(request).team, is_service=False
    )
    member: Membership = get_object_or_404(people, pk=pk)
    return member


def _role(request: HttpRequest) -> str:
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise TeamChangeRefused("There is no such role.")
    role: str = form.cleaned_data["role"]
    return role


def _said(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("requests:settings")
