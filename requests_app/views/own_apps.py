"""The page of own apps (`LOCAL_APPS`): where each is, whether it answers, and what waits for it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from requests_app.localqueue import apps
from requests_app.views.access import membership_of, team_in_links, team_of, team_required
from requests_app.views.errors import bad_request
from requests_app.views.listing import list_url


@team_required
@require_safe
def own_apps(request: HttpRequest) -> HttpResponse:
    """Show every app that the settings name, with this team's requests in its queue."""
    found = apps.states(team_of(request))
    shown = [
        {"state": one, "number": number, "requests_url": _requests_url(request, one.app.id)}
        for number, one in enumerate(found, 1)
    ]
    context: dict[str, Any] = {
        "apps": shown,
        "queues": ",".join(f"#own-app-queue-{one['number']}" for one in shown),
        "may_submit": membership_of(request).may_submit,
        "here": request.get_full_path(),
    }
    return render(request, "endpoints/own_apps.html", context)


@team_required
@require_POST
def check_own_app(request: HttpRequest) -> HttpResponse:
    """Ask the app `app` whether it is there, and show its answer."""
    app = settings.LOCAL_APPS.get(request.POST.get("app", ""))
    if app is None:
        return bad_request(request)
    answer = apps.check(app)
    if request.headers.get("HX-Request"):
        return render(request, "endpoints/_own_app_answer.html", {"answer": answer})
    if answer.is_there:
        messages.success(request, f"{app.id} answers.")
    else:
        messages.error(request, f"{app.id} does not answer. {answer.why}")
    return redirect("requests:own_apps")


def _requests_url(request: HttpRequest, app_id: str) -> str:
    """Return the list with the requests of the app and of the paths below it."""
    return list_url(f"endpoint:{app_id},{app_id}/*", team=team_in_links(request))
