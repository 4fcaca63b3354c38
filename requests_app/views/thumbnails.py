"""Thumbnails: the picture, and which of those a page shows are made by now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app import announce
from requests_app.display.inert import INERT
from requests_app.models import FalRequest, Team
from requests_app.thumbnails import states
from requests_app.thumbnails.files import read_file
from requests_app.thumbnails.further import further_looks, want_further
from requests_app.thumbnails.picture import CARD, SIZES
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required
from requests_app.views.pages import MOST_IDS, ids_in

FOR_EVER = "private, max-age=31536000, immutable"  # its address names its content

AskedPicture = tuple[UUID, int | None]


@login_required
@require_safe
def thumbnails(request: HttpRequest) -> JsonResponse:
    """Answer `?ids=UUID,UUID.N`: {id: {"version": …}}, {"problem": …}, or {} for one in the making.

    With a number it is the picture of the medium of that number, else the request's first one. What is not
    there yet is asked of a worker.
    """
    now = timezone.now()
    keys = _keys(request.GET.get("ids", ""))
    rows = _rows(request, keys)
    further = further_looks((rows[one] for one, n in keys if n is not None and one in rows), now)
    looks = {}
    for public_id, number in keys:
        if row := rows.get(public_id):
            is_own = number is None
            look = states.look_at(row, now) if is_own else further.get((row.pk, number or 0))
            if look:
                looks[row, number] = look
    wanted = [key for key, look in looks.items() if not any(look)]
    if wanted:
        states.want((row for row, number in wanted if number is None), now)
        want_further(((row.pk, n) for row, n in wanted if n is not None), now)
        announce.thumbnails_wanted()
    return JsonResponse({_name(*key): _told(*key, look) for key, look in looks.items()})


def _keys(text: str) -> list[AskedPicture]:
    found = []
    for piece in text.split(",")[:MOST_IDS]:
        name, dot, typed = piece.partition(".")
        number = _number(typed)
        if not dot or number is not None:
            found += [(public_id, number) for public_id in ids_in(name)]
    return found


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 else None


def _name(row: FalRequest, number: int | None) -> str:
    return str(row.public_id) if number is None else f"{row.public_id}.{number}"


def _rows(request: HttpRequest, keys: list[AskedPicture]) -> dict[UUID, FalRequest]:
    """Return what the user may see of them; the media, which can be many, where a number asks for them."""
    mine = FalRequest.objects.filter(team__in=Team.objects.of(request.user))
    rows = mine.filter(public_id__in={public_id for public_id, _ in keys}).read_by(request.user.pk)
    media = ["media"] if any(number is not None for _, number in keys) else []
    columns = "public_id", "thumbnail_url", *media, *states.COLUMNS
    return {row.public_id: row for row in rows.select_related("thumbnail").only(*columns)}


def _told(row: FalRequest, number: int | None, look: states.ThumbnailLook) -> dict[str, Any]:
    if look.version:
        path = reverse("requests:thumbnail", args=[row.public_id, 0]).removesuffix("0/")
        further = {} if number is None else {"number": number}
        return {"path": path, "version": look.version, **further}
    return {"problem": look.problem} if look.problem else {}


@login_required
@require_safe
def thumbnail(request: HttpRequest, public_id: UUID, size: int) -> HttpResponse:
    """Return the picture, which the browser keeps; 404 when there is none (any more).

    `?n=` is the number of a further picture, of which there is the large one alone.
    """
    typed = request.GET.get("n")
    number = None if typed is None else _number(typed)
    sizes = SIZES if typed is None else (CARD,) if number is not None else ()
    if size not in sizes:
        raise Http404
    row = get_request_or_404(request.user, public_id, full=False)
    known = states.stored(row.pk, number).filter(made_at__isnull=False)
    if not known.exists():
        raise Http404
    data = read_file(row.public_id, size, number)
    if data is None:  # a restored database, say: the next page asks for another one
        known.delete()
        raise Http404
    headers = {**INERT, "Cache-Control": FOR_EVER}
    return HttpResponse(data, content_type="image/webp", headers=headers)
