"""What is known of each request's thumbnail, and the one writer of it.

Nothing is made before a page asks. What failed is asked for again after a pause that grows, and after
the last one, or where another try cannot help, never.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import F, Sum

from requests_app.display.media_hosts import is_showable
from requests_app.display.summary import IN_OUTPUT
from requests_app.models import FalRequest, Thumbnail
from requests_app.thumbnails.files import remove_files, write_files
from requests_app.thumbnails.problems import NoThumbnail

TAKEN_FOR = timedelta(seconds=60)  # a worker that dies leaves it to another one then
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 120, 1440))  # after so many tries
KEPT_SHARE = 0.9  # of the limit, when the oldest have to go
_AT_ONCE = 500
# What `look_at` reads of a selected thumbnail
COLUMNS = tuple(f"thumbnail__{name}" for name in ("due_at", "problem", "made_at", "version"))


class ThumbnailLook(NamedTuple):
    """What a page shows for a row that has a picture; one of the three is set."""

    version: str = ""  # it is made
    problem: str = ""  # none can be made at present
    original: str = ""  # none are made here: the picture itself
    # else it is wanted


class WantedThumbnail(NamedTuple):
    """One that a worker has taken."""

    pk: int
    public_id: UUID
    url: str


def look_at(row: FalRequest, now: datetime) -> ThumbnailLook | None:
    """Return what to show; None for a row without a picture. Loads `thumbnail` unless it was selected."""
    is_own = row.thumbnail_url == IN_OUTPUT
    if not is_own and not is_showable(row.thumbnail_url, settings.FAL_MEDIA_HOSTS):
        return None
    if not settings.THUMBNAIL_LIMIT_BYTES:
        return None if is_own else ThumbnailLook(original=row.thumbnail_url)
    known = _known(row)
    if known is None:
        return ThumbnailLook()
    if known.made_at is not None:
        return ThumbnailLook(version=known.version)
    is_waiting = known.due_at is not None and (known.due_at <= now or not known.problem)
    return ThumbnailLook(problem="" if is_waiting else known.problem)


def _known(row: FalRequest) -> Thumbnail | None:
    try:
        return row.thumbnail
    except Thumbnail.DoesNotExist:
        return None


def want(rows: Iterable[FalRequest], now: datetime) -> None:
    """Note that a page shows these, none of which has a thumbnail."""
    missing = [Thumbnail(request=row, due_at=now) for row in rows if _known(row) is None]
    Thumbnail.objects.bulk_create(missing, ignore_conflicts=True)


def take_wanted(now: datetime, most: int) -> list[WantedThumbnail]:
    """Return up to so many that are due; no other worker gets them for a minute."""
    due = Thumbnail.objects.filter(due_at__lte=now)
    columns = "pk", "request__public_id", "request__thumbnail_url"
    found = list(due.order_by("due_at").values_list(*columns)[:most])
    return [
        WantedThumbnail(*columns)
        for columns in found
        if due.filter(pk=columns[0]).update(due_at=now + TAKEN_FOR, tries=F("tries") + 1)
    ]


def keep_made(wanted: WantedThumbnail, pictures: Mapping[int, bytes], now: datetime) -> None:
    """Write the files and note them; nothing stays when the request was emptied meanwhile."""
    version = write_files(wanted.public_id, pictures)
    size = sum(map(len, pictures.values()))
    noted = Thumbnail.objects.filter(pk=wanted.pk).update(
        due_at=None, problem="", made_at=now, version=version, size=size
    )
    if not noted:
        remove_files(wanted.public_id)


def note_failed(wanted: WantedThumbnail, why: NoThumbnail, now: datetime) -> None:
    """Keep the reason, and when another try makes sense."""
    known = Thumbnail.objects.filter(pk=wanted.pk)
    tries = known.values_list("tries", flat=True).first() or 1
    is_last = why.is_final or tries > len(PAUSES)
    due_at = None if is_last else now + PAUSES[tries - 1]
    known.update(due_at=due_at, problem=str(why)[:200])


def forget(pks: Iterable[int]) -> None:
    """Remove what there is of these requests; the files first, for a row without a file is harmless."""
    known = Thumbnail.objects.filter(pk__in=list(pks))
    for public_id in known.values_list("request__public_id", flat=True):
        remove_files(public_id)
    known.delete()


def keep_within(limit: int) -> int:
    """Remove the oldest when all together are larger; return how many went. A page may ask again."""
    made = Thumbnail.objects.filter(made_at__isnull=False)
    size = made.aggregate(sum=Sum("size"))["sum"] or 0
    if size <= limit:
        return 0
    removed = 0
    while size > limit * KEPT_SHARE:
        oldest = list(made.order_by("made_at").values_list("pk", "size")[:_AT_ONCE])
        if not oldest:
            break
        pks = []
        for pk, bytes_ in oldest:
            if size <= limit * KEPT_SHARE:
                break
            pks.append(pk)
            size -= bytes_
        forget(pks)
        removed += len(pks)
    return removed
