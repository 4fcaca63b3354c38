"""For supervisors: is the process alive, and can it do its work? No log-in, nothing secret."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from requests_app.upkeep.health import TOLD_ALONE, examine


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the process lives: {"status": "ok", "version": "0.1.0"}."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part a process needs works, else 503: {"ready": bool, "parts": {name:
    {"ok", "why"}}}.
    """
    parts = {name: {"ok": not why, "why": why} for name, why in examine().items()}
    is_ready = all(part["ok"] for name, part in parts.items() if name not in TOLD_ALONE)
    return JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)
