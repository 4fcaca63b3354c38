"""Where browsers report what the Content-Security-Policy made them block."""

from __future__ import annotations

import json
import time

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from requests_app.accounts.network import network_of
from requests_app.accounts.rates import Buckets, TooManyCalls
from requests_app.upkeep.policy_reports import PolicyBreach, policy_reports
from requests_app.views.team_guard import teamless

MOST_BYTES = 16 * 1024
PER_MINUTE = 60  # of one address
TYPE = "application/csp-report"

buckets = Buckets("One address")


@teamless
@csrf_exempt
@require_POST
def report_policy(request: HttpRequest) -> HttpResponse:
    """Count a report; 204. Browsers send it by themselves, without a token of a form."""
    try:
        buckets.take(network_of(request), PER_MINUTE, now=time.monotonic())
    except TooManyCalls as error:
        return HttpResponse(status=429, headers={"Retry-After": error.retry_after})
    if request.content_type != TYPE:
        return HttpResponse(status=415)
    if len(request.body) > MOST_BYTES:
        return HttpResponse(status=413)
    told = _report_in(request.body)
    if told is None:
        return HttpResponse(status=400)
    known = request.user.is_authenticated
    policy_reports.note(PolicyBreach.of(told), is_known=known, now=timezone.now())
    return HttpResponse(status=204)


def _report_in(body: bytes) -> dict[str, object] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    report = told.get("csp-report") if isinstance(told, dict) else None
    return report if isinstance(report, dict) else None
