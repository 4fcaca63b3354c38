"""One frame's bytes: as they were on the wire, and the image or sound in them."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from requests_app.display.inert import INERT
from requests_app.models import Frame
from requests_app.record.message_bytes import bytes_at, showable_type
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required

MAX_NUMBER = 2**31 - 1


@login_required
@require_safe
def raw(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """Return the bytes of a message (of a text: its UTF-8), to be saved or viewed as hex."""
    name = f"{public_id}-{number}.bin"
    return HttpResponse(
        _raw(_frame(request, public_id, number)),
        content_type="application/octet-stream",
        headers={**INERT, "Content-Disposition": f'attachment; filename="{name}"'},
    )


@login_required
@require_safe
def media(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """Return the image or sound at `?at=<JSON pointer>` into the shown message; 404 for anything
    else.
    """
    frame = _frame(request, public_id, number)
    found = bytes_at(_raw(frame), request.GET.get("at", ""))
    content_type = showable_type(found) if found else None
    if content_type is None:
        raise Http404
    return HttpResponse(found, content_type=content_type, headers=INERT)


def _frame(request: HttpRequest, public_id: UUID, number: int) -> Frame:
    row = get_request_or_404(request.user, public_id, full=False)
    frame = Frame.objects.filter(request=row, number=min(number, MAX_NUMBER)).first()
    if frame is None:
        raise Http404
    return frame


def _raw(frame: Frame) -> bytes:
    return frame.data.encode() if frame.raw is None else bytes(frame.raw)
