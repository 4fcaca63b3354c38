"""Single sign-on: to the provider, and back from it."""

from __future__ import annotations

import logging

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from requests import RequestException

from requests_app.sso.adapter import refusal
from requests_app.sso.flow import PROVIDER, CheckedFlow
from requests_app.views.actions import local_address

logger = logging.getLogger(__name__)

AWAY = "{name} does not answer as it should. Try again in a minute; if it lasts, ask your administrator."


@require_safe
def begin(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the provider. Another site cannot begin a log-in here."""
    flow = _flow(request, provider_id)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return redirect("account_login")
    try:
        return flow.begin(request, local_address(request, request.GET.get("next")))
    except (OAuth2Error, RequestException, ValueError) as error:
        logger.warning("Single sign-on is not available: %s", error)
        return refusal(request, AWAY, status=502)


@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Log in by what the provider sends the browser back with."""
    flow = _flow(request, provider_id)
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(flow)(request)
    except (OAuth2Error, RequestException, ValueError) as error:
        logger.warning("A single sign-on failed: %s", error)
        return refusal(request, AWAY, status=502)
    return response


def _flow(request: HttpRequest, provider_id: str) -> CheckedFlow:
    if not settings.OIDC_ISSUER or provider_id != PROVIDER:
        raise Http404
    return CheckedFlow(request, provider_id)
