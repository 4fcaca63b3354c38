"""Index the rows of before the index: from the newest down, a piece at a time, and go on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db import connection, transaction
from django.db.models import Max

from requests_app.models import FalRequest, SearchHistory
from requests_app.search.index import write_entries

PIECE = 100  # rows in one transaction: on SQLite others wait for it


def index_piece(complete: Callable[[Collection[int]], None] = lambda pks: None) -> bool:
    """Index the next rows; return False when nothing is left, or another process is at it.

    `complete` first gives the rows of these keys what older versions did not store of them.
    """
    if not SearchHistory.objects.exists():  # no lock for the usual answer
        return False
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        history = SearchHistory.objects.select_for_update(skip_locked=skips).first()
        if history is None:
            return False
        older = FalRequest.objects.filter(pk__lt=history.below).order_by("-pk")
        pks = list(older.values_list("pk", flat=True)[:PIECE])
        if not pks:
            history.delete()
            return False
        # Locked, so that a change at the same time is indexed after this and not before.
        list(FalRequest.objects.select_for_update().filter(pk__in=pks).order_by("pk").values("pk"))
        complete(pks)
        write_entries(pks)
        FalRequest.objects.filter(pk__in=pks).exclude(search_text="").update(search_text="")
        SearchHistory.objects.filter(pk=history.pk).update(below=pks[-1])
        return True


def start_again() -> None:
    """Have everything indexed anew, from the newest row on."""
    newest = FalRequest.objects.aggregate(newest=Max("pk"))["newest"]
    with transaction.atomic():
        SearchHistory.objects.all().delete()
        if newest:
            SearchHistory.objects.create(top=newest, below=newest + 1)
