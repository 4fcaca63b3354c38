"""The further pictures of an output, which the gallery shows beside the row's first one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from requests_app.display.kept_media import INLINE
from requests_app.display.media_hosts import is_showable
from requests_app.display.summary import IN_OUTPUT
from requests_app.models import FalRequest, FurtherThumbnail
from requests_app.thumbnails.states import ThumbnailLook, look_of

MOST = 16  # media of an output; pages load the pictures behind them themselves

PictureKey = tuple[int, int]  # of the request and its medium


def own_number(row: FalRequest) -> int | None:
    """Return the number of the medium that the row's own thumbnail is of."""
    is_inline = row.thumbnail_url == IN_OUTPUT
    for number, facts in enumerate(_items(row)):
        is_it = not _is_remote(facts["url"]) if is_inline else facts["url"] == row.thumbnail_url
        if facts["kind"] == "image" and is_it:
            return number
    return None


def further_looks(rows: Iterable[FalRequest], now: datetime) -> dict[PictureKey, ThumbnailLook]:
    """Return what to show of each further picture of the rows, which have their media. One query."""
    keys = [(row.pk, number) for row in rows for number in _further(row)]
    if not keys or not settings.THUMBNAIL_LIMIT_BYTES:
        return {}
    found = FurtherThumbnail.objects.filter(request__in={pk for pk, _ in keys})
    known = {(one.request_id, one.number): one for one in found}
    return {key: look_of(known.get(key), now) for key in keys}


def want_further(keys: Iterable[PictureKey], now: datetime) -> None:
    """Note that a page shows these; one that is known stays as it is."""
    missing = [FurtherThumbnail(request_id=pk, number=number, due_at=now) for pk, number in keys]
    FurtherThumbnail.objects.bulk_create(missing, ignore_conflicts=True)


def _further(row: FalRequest) -> list[int]:
    own = own_number(row)
    return [
        number
        for number, facts in enumerate(_items(row)[:MOST])
        if number != own and facts["kind"] == "image" and _may_be_shown(facts["url"])
    ]


def _items(row: FalRequest) -> list[dict[str, str]]:
    items: list[dict[str, str]] = (row.media or {}).get("items", [])
    return items


def _may_be_shown(url: str) -> bool:
    return url == INLINE or is_showable(url, settings.FAL_MEDIA_HOSTS)


def _is_remote(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))
