"""The team as a whole: create a further one, rename it, hand it over, leave it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from requests_app.forms.team import HeirForm, TeamNameForm
from requests_app.models import Role, has_factor
from requests_app.teams import members, owning, second_factor
from requests_app.teams.choice import SESSION_KEY, choose
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.access import View, membership_of, person_of, team_required
from requests_app.views.login import login_required
from requests_app.views.team_guard import held_back_too, teamless


@team_required
@require_safe
def team(request: HttpRequest) -> HttpResponse:
    """Show what the user may do with the team as a whole."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    mine = membership_of(request)
    people = mine.team.memberships.filter(is_service=False).select_related("user")
    others = people.exclude(pk=mine.pk).filter(user__is_active=True).order_by("user__username")
    owners = [one for one in others if one.role == Role.OWNER]
    context = {
        "is_owner": mine.role == Role.OWNER,
        "is_last_owner": mine.role == Role.OWNER and not owners,
        "heirs": others if mine.role == Role.OWNER else [],
        "may_create": owning.may_create(person_of(request)),
        "without_factor": second_factor.without_factor(mine.team)
        if mine.role == Role.OWNER
        else [],
        "has_factor": has_factor(mine.user_id),
        "name_form": TeamNameForm(initial={"name": mine.team.name}),
        **more,
    }
    return render(request, "teams/team.html", context, status=status)


@teamless
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_team(request: HttpRequest) -> HttpResponse:
    """GET shows the form, POST creates a team that the user owns, and chooses it."""
    form = TeamNameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = owning.create(form.cleaned_data["name"], by=person_of(request))
        except TeamChangeRefused as refused:
            form.add_error("name", str(refused))
        else:
            choose(request.session, made.pk)
            messages.success(request, f"{made.name} is yours. Invite others under Settings.")
            return redirect("requests:settings")
    context = {"form": form, "may_create": owning.may_create(person_of(request))}
    status = 422 if request.method == "POST" else 200
    return render(request, "teams/new_team.html", context, status=status)


def owns(view: View) -> View:
    """Require a POST by an owner."""

    @team_required
    @require_POST
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if membership_of(request).role != Role.OWNER:
            raise PermissionDenied("Only an owner of the team may do this.")
        return view(request, *args, **kwargs)

    return inner


@owns
def rename_team(request: HttpRequest) -> HttpResponse:
    """Give the team another name."""
    form = TeamNameForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, name_form=form)
    try:
        owning.rename(form.cleaned_data["name"], by=membership_of(request))
    except TeamChangeRefused as refused:
        form.add_error("name", str(refused))
        return _page(request, status=422, name_form=form)
    messages.success(request, f"The team is called {form.cleaned_data['name']} now.")
    return redirect("requests:team")


@owns
def require_factors(request: HttpRequest) -> HttpResponse:
    """Require two factors of every member, or no longer: `required=1` or `0`."""
    is_on = request.POST.get("required") == "1"
    try:
        second_factor.require(is_on=is_on, by=membership_of(request))
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:team")
    words = (
        "Every member needs two factors now." if is_on else "Two factors are no longer required."
    )
    messages.success(request, words)
    return redirect("requests:team")


@held_back_too
@team_required
@require_POST
def leave_team(request: HttpRequest) -> HttpResponse:
    """End the user's own membership; any role may, and a member whom the team holds back."""
    mine = membership_of(request)
    try:
        members.leave(mine)
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:team")
    request.session.pop(SESSION_KEY, None)
    messages.success(request, f"You have left {mine.team.name}.")
    return redirect("requests:list")


@owns
def transfer_team(request: HttpRequest) -> HttpResponse:
    """Make another member an owner and the user an admin."""
    form = HeirForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose the member who gets the team.")
        return redirect("requests:team")
    try:
        heir = owning.transfer(form.cleaned_data["member"], by=membership_of(request))
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request, f"{heir.user.get_username()} owns the team now; you are an admin."
        )
    return redirect("requests:team")
