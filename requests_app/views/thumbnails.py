"""Thumbnails: the picture, and which of those a page shows are made by now."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app import announce
from requests_app.display.inert import INERT
from requests_app.models import FalRequest, Team, Thumbnail
from requests_app.thumbnails import states
from requests_app.thumbnails.files import read_file
from requests_app.thumbnails.picture import SIZES
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required
from requests_app.views.pages import ids_in

FOR_EVER = "private, max-age=31536000, immutable"  # its address names its content


@login_required
@require_safe
def thumbnails(request: HttpRequest) -> JsonResponse:
    """Answer `?ids=UUID,UUID`: {id: {"version": …}}, {"problem": …}, or {} for one in the making.

    What is not there yet is asked of a worker.
    """
    now = timezone.now()
    mine = FalRequest.objects.filter(team__in=Team.objects.of(request.user))
    rows = mine.filter(public_id__in=ids_in(request.GET.get("ids", "")))
    looks = {
        row: look
        for row in rows.select_related("thumbnail").only(
            "public_id", "thumbnail_url", *states.COLUMNS
        )
        if (look := states.look_at(row, now))
    }
    wanted = [row for row, look in looks.items() if not any(look)]
    if wanted:
        states.want(wanted, now)
        announce.thumbnails_wanted()
    return JsonResponse({str(row.public_id): _told(row, look) for row, look in looks.items()})


def _told(row: FalRequest, look: states.ThumbnailLook) -> dict[str, str]:
    if look.version:
        path = reverse("requests:thumbnail", args=[row.public_id, 0]).removesuffix("0/")
        return {"path": path, "version": look.version}
    return {"problem": look.problem} if look.problem else {}


@login_required
@require_safe
def thumbnail(request: HttpRequest, public_id: UUID, size: int) -> HttpResponse:
    """Return the picture, which the browser keeps; 404 when there is none (any more)."""
    if size not in SIZES:
        raise Http404
    row = get_request_or_404(request.user, public_id, full=False)
    known = Thumbnail.objects.filter(request=row, made_at__isnull=False)
    if not known.exists():
        raise Http404
    data = read_file(row.public_id, size)
    if data is None:  # a restored database, say: the next page asks for another one
        known.delete()
        raise Http404
    headers = {**INERT, "Cache-Control": FOR_EVER}
    return HttpResponse(data, content_type="image/webp", headers=headers)
