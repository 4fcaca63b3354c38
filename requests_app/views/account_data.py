"""What is kept about the user as a download, and the page that deletes the account."""

from __future__ import annotations

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from requests_app.export.streaming import streamed
from requests_app.models import FalRequest, Membership
from requests_app.teams import erasing
from requests_app.teams.people import TeamChangeRefused
from requests_app.teams.personal_data import pieces_of
from requests_app.views.login import login_required

MOST_TYPED = 200


@login_required
@require_safe
@reauthentication_required  # type: ignore[untyped-decorator]
def account_data(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Download what is kept about the user; a recent log-in is needed."""
    return StreamingHttpResponse(
        streamed(pieces_of(cast(User, request.user))),
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="about-me.json"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]
def delete_account(request: HttpRequest) -> HttpResponse:
    """GET says what goes and what stays; POST with the typed name deletes. A recent log-in is needed."""
    user, fault = cast(User, request.user), ""
    typed = request.POST.get("name", "")[:MOST_TYPED]
    if request.method == "POST":
        if typed != user.get_username():
            fault = erasing.NOT_TYPED
        else:
            try:
                erasing.erase(user, by=user)
            except TeamChangeRefused as refused:
                fault = str(refused)
            else:
                logout(request)
                messages.success(request, "Your account is deleted.")
                return redirect("account_login")
    context = {
        "alone": erasing.hindrances(user),
        "teams": Membership.objects.filter(user=user).select_related("team").order_by("team__name"),
        "requests": FalRequest.objects.filter(person=user).count(),
        "typed": typed,
        "fault": fault,
    }
    return render(request, "account/delete.html", context, status=422 if fault else 200)
