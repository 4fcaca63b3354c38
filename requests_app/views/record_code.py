"""The page "Record my code": what a program needs so that its calls are in the list, and the first that came."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from requests_app.forms.token import TokenForm
from requests_app.models import ApiToken, FalRequest, Source
from requests_app.teams import tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.access import membership_of, team_required

NAME = "My code"
HIDDEN = "faldeck:fdk_…"  # a key that cannot be shown
PATH = "/gateway"  # see requests_app.routing
WORKS = (
    ("run, stream", "Python, JavaScript, anything that speaks HTTP"),
    ("submit, status, logs, result, cancel, subscribe", "the same"),
    ("realtime of fal_client", "with use_jwt=False"),
    ("uploads of @fal-ai/client", "through the proxy; not in the list"),
)
CANNOT = (
    ("uploads of fal_client", "go straight to fal's storage, and need fal's own key"),
    ("realtime of @fal-ai/client", "dials fal's host; the Realtime page records sessions"),
)


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def record_code(request: HttpRequest) -> HttpResponse:
    """Show the page; a POST makes a virtual key and shows it once."""
    if request.method != "POST":
        return _page(request)
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, status=422, token_form=form)
    wanted = form.wanted(now=timezone.now())
    try:
        text = tokens.issue(membership_of(request), wanted)
    except tokens.AlreadyMade as refused:
        messages.info(request, str(refused))
        return redirect("requests:record_code")
    except TeamChangeRefused as refused:
        form.add_error("name", str(refused))
        return _page(request, status=422, token_form=form)
    made = ApiToken.objects.filter(form_key=wanted.form_key).first()
    return _page(request, status=201, key=f"faldeck:{text}", **_light(request, made))


@team_required
@require_safe
def code_light(request: HttpRequest) -> HttpResponse:
    """Show whether a program has called with the key that the page has made, or with any of the user's."""
    named = request.GET.get("key", "")
    mine = ApiToken.objects.unrevoked().filter(team=membership_of(request).team)
    token = mine.filter(pk=named).first() if named.isascii() and named.isdecimal() else None
    return render(request, "teams/_code_light.html", _light(request, token))


def _page(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    form = TokenForm.empty()
    form.initial["name"] = NAME
    base = urlsplit(settings.PUBLIC_URL or request.build_absolute_uri("/"))
    host = f"{base.netloc}{PATH}"
    context = {
        "token_form": form,
        "key": HIDDEN,
        "is_shown": "key" in more,
        "host": host,
        "url": f"{base.scheme}://{host}",
        "example": "sandbox/echo" if settings.SANDBOX else "fal-ai/flux/schnell",
        "is_plain": base.scheme != "https",
        "local_tls": settings.LOCAL_TLS,
        "works": WORKS,
        "cannot": CANNOT,
        **_light(request, None),
        **more,
    }
    return render(request, "teams/record_code.html", context, status=status)


def _light(request: HttpRequest, token: ApiToken | None) -> dict[str, Any]:
    """Return what the light says: the newest call with this token, else with any of the user's keys."""
    mine = membership_of(request)
    if token and token.user_id != mine.user_id and not (token.is_service and mine.may_manage):
        token = None
    user_id = token.user_id if token else mine.user_id
    rows = FalRequest.objects.filter(team_id=mine.team_id, person_id=user_id)
    if token:
        rows = rows.filter(created_at__gte=token.created_at)
    passed = rows.filter(observations__source=Source.GATEWAY, observations__kind="created")
    # The user's newest rows alone: an index has them, and a first call is among them.
    newest = list(rows.order_by("-id").values_list("pk", flat=True)[:50])
    first = passed.filter(pk__in=newest).without_payload().order_by("-id").first()
    is_used = bool(token and token.last_used_at)
    return {"call": first, "token_pk": token.pk if token else "", "is_used": is_used}
