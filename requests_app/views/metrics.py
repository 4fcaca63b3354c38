"""Metrics for Prometheus. Without the right to read them the answer is 404."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from requests_app.upkeep.metrics import exposition

# With any of these the caller is a proxy, which hides the real client.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Require the token when one is set, else a local client; 404 for all others."""
    if not (_has_token(request) if settings.METRICS_TOKEN else _is_local(request)):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return kind.lower() == "bearer" and constant_time_compare(token, settings.METRICS_TOKEN)


def _is_local(request: HttpRequest) -> bool:
    if settings.BEHIND_PROXY or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
