"""The settings of the chosen team: who belongs to it, and the person's own API tokens.

A token and an invitation are shown in the reply to the POST that made them, and never again.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.forms.members import AddForm, RoleForm
from requests_app.models import ApiToken, Invitation, Membership, Role
from requests_app.teams import members
from requests_app.views.access import View, membership_of, team_required


@team_required
@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """Everybody sees the members and their own tokens; owners and admins also act on members."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    mine = membership_of(request)
    tokens = ApiToken.objects.filter(team=mine.team, user=mine.user, revoked_at=None)
    context = {
        "members": mine.team.memberships.select_related("user").order_by("user__username"),
        "invitations": Invitation.objects.live(timezone.now()).filter(team=mine.team),
        "tokens": tokens.order_by("-created_at"),
        "roles": [role for role in Role if role != Role.OWNER or mine.role == Role.OWNER],
        "add_form": AddForm(),
        **more,
    }
    return render(request, "teams/settings.html", context, status=status)


def manages(view: View) -> View:
    """A POST by an owner or admin; a refusal is said in words on the page it came from."""

    @team_required
    @require_POST
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not membership_of(request).may_manage:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except members.Refused as refused:
            messages.error(request, str(refused))
            return redirect("requests:settings")

    return inner


@manages
def add_member(request: HttpRequest) -> HttpResponse:
    """Let an existing user in."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, add_form=form)
    mine = membership_of(request)
    try:
        made = members.add(mine.team, **form.cleaned_data, by=mine)
    except members.Refused as refused:
        form.add_error("username", str(refused))
        return _page(request, status=422, add_form=form)
    return _said(
        request, f"{made.user.get_username()} is in the team as {made.get_role_display().lower()}."
    )


@manages
def change_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = _member_or_404(request, pk)
    role = _role(request)
    members.change_role(member, role, by=membership_of(request))
    return _said(request, f"{member.user.get_username()} is {Role(role).label.lower()} now.")


@manages
def remove_member(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a member out of the team."""
    member = _member_or_404(request, pk)
    members.remove(member, by=membership_of(request))
    return _said(request, f"{member.user.get_username()} has left the team.")


@manages
def invite(request: HttpRequest) -> HttpResponse:
    """Make a link that lets one person in, and show it once."""
    mine = membership_of(request)
    secret = members.invite(mine.team, _role(request), by=mine, now=timezone.now())
    link = request.build_absolute_uri(reverse("requests:join", args=[secret]))
    return _page(request, status=201, new_link=link)


@manages
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """End an invitation nobody has used."""
    if not members.withdraw(membership_of(request).team, pk, now=timezone.now()):
        raise Http404
    return _said(request, "The invitation is withdrawn.")


@team_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token of the person for this team, and show it once."""
    mine = membership_of(request)
    return _page(request, status=201, new_token=ApiToken.issue(mine.user, mine.team))


@team_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the person's own tokens."""
    if not members.revoke_token(membership_of(request), pk, now=timezone.now()):
        raise Http404
    return _said(request, "The token is revoked.")


def _member_or_404(request: HttpRequest, pk: int) -> Membership:
    """A member of the chosen team; a foreign one does not exist."""
    people = Membership.objects.select_related("user").filter(team=membership_of(request).team)
    member: Membership = get_object_or_404(people, pk=pk)
    return member


def _role(request: HttpRequest) -> str:
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise members.Refused("There is no such role.")
    role: str = form.cleaned_data["role"]
    return role


def _said(request: HttpRequest, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("requests:settings")
