"""The files of a team: one for each content, counted against its quota, given up with the last request.

Each change is made under the team's lock, the row of its rules.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from requests_app.copies.local import LocalStore
from requests_app.copies.store import copy_store, parts_folder
from requests_app.models import CopyLook, CopyRules, CopyState, FalRequest, KeptFile, MediaCopy
from requests_app.models.media_copy import MediaCopyQuerySet

ONE_MORE_TRY = 20  # copies that were over quota, when there is room again
LATE_STORE = timedelta(minutes=15)  # a worker may still be storing a file that is given up
STALE_PART_S = 24 * 3600
_AT_ONCE = 200
_NAME = re.compile(r"[0-9]{1,19}/[0-9a-f]{2}/[0-9a-f]{64}-[0-9a-f]{12}", re.ASCII)


class OverQuota(Exception):
    """The team's quota has no room for it; the message is a sentence for users."""


def file_for(team_id: int, sha256: str, size: int, now: datetime) -> KeptFile:
    """Return the team's file with this content, an older one or a new one. Raises OverQuota.

    Call it in a transaction that also makes a copy refer to the file.
    """
    rules = CopyRules.objects.select_for_update().get(pk=team_id)
    known = KeptFile.objects.filter(team=team_id, sha256=sha256, removed_at=None).first()
    if known is not None:
        return known
    if rules.used_bytes + size > rules.quota_bytes:
        raise OverQuota("The team's quota for copies is used up.")
    rules.used_bytes += size
    rules.save(update_fields=["used_bytes"])
    name = f"{team_id}/{sha256[:2]}/{sha256}-{uuid4().hex[:12]}"
    return KeptFile.objects.create(
        team_id=team_id, sha256=sha256, size=size, name=name, created_at=now
    )


def forget(pks: Collection[int], now: datetime) -> None:
    """Forget the copies of these requests, and give up files that no other request needs."""
    CopyLook.objects.filter(pk__in=pks).delete()
    copies = MediaCopy.objects.filter(request__in=pks)
    if not copies.exists():
        return
    with transaction.atomic():
        teams = sorted(set(copies.values_list("team_id", flat=True)))
        # Before the copies: a worker that keeps one locks in this order too.
        list(CopyRules.objects.select_for_update().filter(pk__in=teams).order_by("pk"))
        for team in teams:
            drop(team, copies.filter(team=team), now)


def drop(team_id: int, copies: MediaCopyQuerySet, now: datetime) -> None:
    """Delete copies of a team whose lock is held, and give up files that nothing else refers to."""
    files = set(copies.filter(file__isnull=False).values_list("file_id", flat=True))
    copies.delete()
    _give_up(team_id, files, now)


def alone_with(requests: QuerySet[FalRequest]) -> tuple[int, int]:
    """Return count and bytes of the files that no request but these needs."""
    theirs = MediaCopy.objects.filter(request__in=requests)
    others = MediaCopy.objects.filter(file=OuterRef("pk")).exclude(request__in=requests)
    files = KeptFile.objects.filter(~Exists(others), pk__in=theirs.values("file"), removed_at=None)
    found = files.aggregate(n=Count("pk"), sum=Sum("size"))
    return found["n"], found["sum"] or 0


def _give_up(team_id: int, files: Collection[int], now: datetime) -> None:
    needed = Exists(MediaCopy.objects.filter(file=OuterRef("pk")))
    gone = KeptFile.objects.filter(~needed, team=team_id, pk__in=files, removed_at=None)
    size = gone.aggregate(sum=Sum("size"))["sum"]
    if size is None:
        return
    gone.update(removed_at=now)
    rules = CopyRules.objects.get(pk=team_id)
    rules.used_bytes = max(0, rules.used_bytes - size)
    rules.save(update_fields=["used_bytes"])
    over = MediaCopy.objects.filter(team=team_id, state=CopyState.OVER_QUOTA)
    again = list(over.order_by("-request").values_list("pk", flat=True)[:ONE_MORE_TRY])
    over.filter(pk__in=again).update(state=CopyState.WAITING, due_at=now, changed_at=now, tries=0)


def given_up(now: datetime) -> list[tuple[int, str]]:
    """Return keys and names of some files that no request needs any more."""
    gone = KeptFile.objects.filter(removed_at__lte=now)
    late = Q(stored_at=None, removed_at__gt=now - LATE_STORE)
    return list(gone.exclude(late).values_list("pk", "name")[:_AT_ONCE])


def note_removed(pk: int) -> None:
    """Forget a file that the store has removed."""
    KeptFile.objects.filter(pk=pk, removed_at__isnull=False).delete()


def remove_given_up(now: datetime) -> int:
    """Remove from the store what no request needs any more; return how many. Raises StoreProblem."""
    removed = 0
    while some := given_up(now):
        for pk, name in some:
            copy_store().remove(name)
            note_removed(pk)
        removed += len(some)
    return removed


def remove_stale_parts() -> None:
    """Remove what a killed worker left behind of files that were coming."""
    with suppress(OSError):
        for path in parts_folder().iterdir():
            if time.time() - path.stat().st_mtime > STALE_PART_S:
                path.unlink(missing_ok=True)


def is_file_name(name: str) -> bool:
    """Whether a name can be one of the store's."""
    return _NAME.fullmatch(name) is not None


def kept_on_disk() -> list[tuple[str, Path]]:
    """Return name and path of each kept file on this machine's disk; none when they lie elsewhere."""
    store = copy_store()
    if not isinstance(store, LocalStore):
        return []
    kept = KeptFile.objects.filter(removed_at=None, stored_at__isnull=False)
    return [(name, Path(store.path(name))) for name in kept.values_list("name", flat=True)]


def put_back(name: str, source: IO[bytes]) -> None:
    """Store a file of a backup. Raises StoreProblem, OSError."""
    with tempfile.NamedTemporaryFile(dir=parts_folder(), delete=False) as part:
        shutil.copyfileobj(source, part)
    try:
        copy_store().put(name, Path(part.name))
    finally:
        Path(part.name).unlink(missing_ok=True)
