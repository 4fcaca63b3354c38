"""The request page and the fragments it fetches while the request runs."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Length
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.display.inert import INERT
from requests_app.models import FalRequest, Frame, LogLine
from requests_app.record.followers import mark_polled
from requests_app.record.frame import LARGE, sketch
from requests_app.views import detail_context
from requests_app.views.access import get_request_or_404, may_act_on, may_delete
from requests_app.views.login import login_required
from requests_app.views.neighbours import neighbours_of
from requests_app.views.tags import marks_of

FRAMES_AT_ONCE = 500
FRAMES_SIZE = 2 * 1024 * 1024  # characters of one reply
MAX_NUMBER = 2**63 - 1


@login_required
@require_safe
def detail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the whole page; `?tab=` opens a tab without JavaScript too, `?q=` is the list's search."""
    row = get_request_or_404(request.user, public_id, may_be_hidden=True)
    context = detail_context.whole(
        row, may_act=may_act_on(request, row), tab=request.GET.get("tab", "")
    )
    context |= {"neighbours": neighbours_of(request, row), **marks_of(request, row)}
    context["may_delete"] = may_delete(request, row)
    return render(request, "request/detail.html", context)


@login_required
@require_safe
def result(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Return the same without the frame of a page, to stand beside the form for a new request.

    `?hidden=<place>`: a page without input and output asks for itself anew.
    """
    row = get_request_or_404(request.user, public_id, may_be_hidden=True)
    asked = request.GET.get("hidden", "")
    if asked and not row.is_hidden:  # it may be seen meanwhile
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    place = asked if asked in detail_context.PLACES else ""
    place = place if asked else detail_context.RESULT
    context = detail_context.whole(row, may_act=may_act_on(request, row), place=place)
    context |= marks_of(request, row)
    return render(request, context["template"], context)


@login_required
@require_safe
def live(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Return the parts that change, each with its version: the page swaps those that are newer."""
    row = get_request_or_404(request.user, public_id)
    mark_polled(FalRequest.objects.filter(pk=row.pk))
    place = next((name for name in detail_context.PLACES if name in request.GET), "")
    context = detail_context.live(row, may_act=may_act_on(request, row), place=place)
    context["may_delete"] = may_delete(request, row)
    return render(request, "request/_live.html", context)


@login_required
@require_safe
def logs(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Return log lines after `?after=<line id>`, oldest first; a full batch means there may be
    more.
    """
    row = get_request_or_404(request.user, public_id)
    after = _number(request.GET.get("after", "0"))
    if after is None:
        return HttpResponseBadRequest("after is the id of a log line.")
    lines = LogLine.objects.filter(request=row, id__gt=after).order_by("id")
    context = {"lines": lines[: detail_context.LINES_AT_ONCE]}
    return render(request, "request/_log_lines.html", context)


@login_required
@require_safe
def frames(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Return frames after `?after=<number>` as JSON: {"frames": […], "last": n, "ended": bool}.

    `data` is null for a frame over 64 k characters, which is fetched on its own. `ended`: the
    request has ended and these are the last ones.
    """
    row = get_request_or_404(request.user, public_id)
    after = _number(request.GET.get("after", "0"))
    if after is None:
        return HttpResponseBadRequest("after is the number of a frame.")
    # The row was read first: frames committed before its end are all found now.
    numbers = _reply_size(row, after)
    last = numbers[-1] if numbers else after
    found = Frame.objects.filter(request=row, number__gt=after, number__lte=last)
    more = Frame.objects.filter(request=row, number__gt=last).exists()
    return JsonResponse(
        {
            "frames": [sketch(frame) for frame in found.defer("raw")] if numbers else [],
            "last": last,
            "ended": row.is_ended and not more,
        }
    )


def _reply_size(row: FalRequest, after: int) -> list[int]:
    """Return the numbers of the frames that fit into one reply; at least one if there is any."""
    following = Frame.objects.filter(request=row, number__gt=after)
    numbers: list[int] = []
    total = 0
    for number, length in following.values_list("number", Length("data"))[:FRAMES_AT_ONCE]:
        total += length if length <= LARGE else 0
        if numbers and total > FRAMES_SIZE:
            break
        numbers.append(number)
    return numbers


@login_required
@require_safe
def frame(request: HttpRequest, public_id: UUID, number: int) -> HttpResponseBase:
    """Return the whole text of one frame."""
    row = get_request_or_404(request.user, public_id)
    found = (
        Frame.objects.filter(request=row, number=number).first() if number <= MAX_NUMBER else None
    )
    if found is None:
        raise Http404
    return _attachment(found.data.encode(), f"{row.public_id}-{number}.txt")


@login_required
@require_safe
def input_text(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Return the input as it was typed, which may be megabytes."""
    row = get_request_or_404(request.user, public_id)
    if row.payload_removed_at is not None:
        raise Http404
    return _attachment(row.input_text.encode(), f"{row.public_id}-input.json", "application/json")


def _attachment(
    body: bytes, name: str, content_type: str = "text/plain; charset=utf-8"
) -> HttpResponseBase:
    headers = {**INERT, "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=content_type, headers=headers)


def _number(text: str) -> int | None:
    """Parse a number that fits into the database; None otherwise."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 19:
        return None
    return min(int(text), MAX_NUMBER)
