"""What is known of each thumbnail, and the one writer of it.

Nothing is made before a page asks. What failed is asked for again after a pause that grows, and after
the last one, or where another try cannot help, never.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet, Sum

from requests_app.display.media_hosts import is_showable
from requests_app.display.summary import IN_OUTPUT
from requests_app.models import FalRequest, FurtherThumbnail, Thumbnail
from requests_app.thumbnails.files import remove_files, write_files
from requests_app.thumbnails.picture import CARD
from requests_app.thumbnails.problems import NoThumbnail

TAKEN_FOR = timedelta(seconds=60)  # a worker that dies leaves it to another one then
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 120, 1440))  # after so many tries
KEPT_SHARE = 0.9  # of the limit, when the oldest have to go
_AT_ONCE = 500
# What `look_at` reads of a selected thumbnail
COLUMNS = tuple(f"thumbnail__{name}" for name in ("due_at", "problem", "made_at", "version"))
_KINDS: tuple[type[Thumbnail | FurtherThumbnail], ...] = (Thumbnail, FurtherThumbnail)


class ThumbnailLook(NamedTuple):
    """What a page shows for a picture; one of the three is set."""

    version: str = ""  # it is made
    problem: str = ""  # none can be made at present
    original: str = ""  # none are made here: the picture itself
    # else it is wanted


class WantedThumbnail(NamedTuple):
    """One that a worker has taken."""

    pk: int  # of the request
    public_id: UUID
    url: str
    number: int | None = None  # of the medium; None: the row's first picture


def look_at(row: FalRequest, now: datetime) -> ThumbnailLook | None:
    """Return what to show; None for a row without a picture. Loads `thumbnail` unless it was selected."""
    is_own = row.thumbnail_url == IN_OUTPUT
    if not is_own and not is_showable(row.thumbnail_url, settings.FAL_MEDIA_HOSTS):
        return None
    if not settings.THUMBNAIL_LIMIT_BYTES:
        return None if is_own else ThumbnailLook(original=row.thumbnail_url)
    return look_of(_known(row), now)


def look_of(known: Thumbnail | FurtherThumbnail | None, now: datetime) -> ThumbnailLook:
    """Return what to show of one; None: no page has asked for it yet."""
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
    """Return up to so many that are due, those of lists first; no other worker gets them for a minute."""
    taken: list[WantedThumbnail] = []
    for model in _KINDS:
        due = model.objects.filter(due_at__lte=now)
        found = due.select_related("request").only("due_at", *model.SOURCE).order_by("due_at")
        taken += [
            WantedThumbnail(one.request_id, one.request.public_id, one.url, one.number)
            for one in found[: most - len(taken)]
            if due.filter(pk=one.pk).update(due_at=now + TAKEN_FOR, tries=F("tries") + 1)
        ]
    return taken


def keep_made(wanted: WantedThumbnail, pictures: Mapping[int, bytes], now: datetime) -> None:
    """Write the files and note them; nothing stays when the request was emptied meanwhile."""
    if wanted.number is not None:  # no list shows it
        pictures = {CARD: pictures[CARD]}
    version = write_files(wanted.public_id, pictures, wanted.number)
    size = sum(map(len, pictures.values()))
    noted = stored(wanted.pk, wanted.number).update(
        due_at=None, problem="", made_at=now, version=version, size=size
    )
    if not noted:
        remove_files(wanted.public_id, wanted.number)


def note_failed(wanted: WantedThumbnail, why: NoThumbnail, now: datetime) -> None:
    """Keep the reason, and when another try makes sense."""
    known = stored(wanted.pk, wanted.number)
    tries = known.values_list("tries", flat=True).first() or 1
    is_last = why.is_final or tries > len(PAUSES)
    due_at = None if is_last else now + PAUSES[tries - 1]
    known.update(due_at=due_at, problem=str(why)[:200])


def stored(pk: int, number: int | None) -> QuerySet[Any]:
    """Return what is known of one: of the request's first picture, or of its medium of this number."""
    if number is None:
        return Thumbnail.objects.filter(request=pk)
    return FurtherThumbnail.objects.filter(request=pk, number=number)


def forget(pks: Iterable[int]) -> None:
    """Remove what there is of these requests."""
    requests = list(pks)
    for model in _KINDS:
        _remove(model.objects.filter(request__in=requests))


def _remove(known: QuerySet[Any]) -> None:
    """Remove the files first, for a row without a file is harmless."""
    for columns in known.values_list(*known.model.FILE):
        remove_files(*columns)
    known.delete()


def keep_within(limit: int) -> int:
    """Remove the oldest when all together are larger; return how many went. A page may ask again."""
    made = [model.objects.filter(made_at__isnull=False) for model in _KINDS]
    size = sum(one.aggregate(sum=Sum("size"))["sum"] or 0 for one in made)
    if size <= limit:
        return 0
    removed = 0
    while size > limit * KEPT_SHARE:
        oldest = sorted(
            (*columns, kind)
            for kind, one in enumerate(made)
            for columns in one.order_by("made_at").values_list("made_at", "pk", "size")[:_AT_ONCE]
        )[:_AT_ONCE]
        if not oldest:
            break
        pks: list[list[int]] = [[] for _ in made]
        for _, pk, bytes_, kind in oldest:
            if size <= limit * KEPT_SHARE:
                break
            pks[kind].append(pk)
            size -= bytes_
        for one, gone in zip(made, pks, strict=True):
            _remove(one.filter(pk__in=gone))
            removed += len(gone)
    return removed
