"""A request beside the list: as a fragment for the page's script, and within the page whose address names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from requests_app.models import FalRequest
from requests_app.views import detail_context
from requests_app.views.access import get_request_or_404, may_act_on
from requests_app.views.login import login_required
from requests_app.views.tags import marks_of


@dataclass(frozen=True)
class Peek:
    """What the panel shows as the page comes, and the address of the request's own page."""

    html: SafeString
    page: str


@login_required
@require_safe
def peek(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Return the request's page without its frame, to stand beside the list."""
    row = get_request_or_404(request.user, public_id, may_be_hidden=True)
    context = _context(request, row)
    return render(request, context["template"], context)


def peek_of(request: HttpRequest) -> Peek | None:
    """Return what `?peek=ID` asks for; a request that is not there is said in the panel."""
    asked = request.GET.get("peek", "")
    if not asked:
        return None
    try:
        row = get_request_or_404(request.user, asked, may_be_hidden=True)
    except Http404:
        html = render_to_string("list/_peek_gone.html", request=request)
        return Peek(html, reverse("requests:list"))
    context = _context(request, row)
    html = render_to_string(context["template"], context, request)
    return Peek(html, reverse("requests:detail", args=[row.public_id]))


def _context(request: HttpRequest, row: FalRequest) -> dict[str, Any]:
    page = detail_context.whole(row, may_act=may_act_on(request, row), place=detail_context.PEEK)
    return {**page, **marks_of(request, row)}
