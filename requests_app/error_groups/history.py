"""Give their keys to what failed in an older version, or in an older process beside: newest first, in pieces.

Nothing says how far it is but the rows themselves: those without a key have an index of their own.
"""

from __future__ import annotations

from collections import defaultdict

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Substr

from requests_app.error_groups.linking import INVALID_INPUT, MOST_OF_BODY, entry, kind_of, store
from requests_app.models import FalRequest

PIECE = 200  # rows in one transaction: on SQLite others wait for it
_COLUMNS = (
    "team_id", "person_id", "endpoint_id", "error", "error_type", "error_code", "ended_at", "created_at",
)  # fmt: skip


def group_piece() -> bool:
    """Group the next rows; return False when none is left, or another process is at them."""
    if not FalRequest.objects.ungrouped().order_by("-pk").exists():  # no lock for the usual answer
        return False
    with transaction.atomic():
        skips = connection.features.has_select_for_update_skip_locked
        found = FalRequest.objects.ungrouped().select_for_update(skip_locked=skips)
        rows = list(found.order_by("-pk").only(*_COLUMNS)[:PIECE])
        bodies = _bodies([row.pk for row in rows if row.error_code == INVALID_INPUT])
        alike, entries = defaultdict(list), []
        for row in rows:
            kind = kind_of(row, {}, bodies.get(row.pk, b""))
            alike[kind.key].append(row.pk)
            entries.append(entry(kind, row.person_id, row.ended_at or row.created_at, +1))
        for key, pks in alike.items():
            FalRequest.objects.filter(pk__in=pks).update(error_key=key)
        store(entries)
        return bool(rows)


def _bodies(pks: list[int]) -> dict[int, bytes]:
    """Return the answers that named refused fields; one that is too large as too large."""
    found = FalRequest.objects.filter(pk__in=pks)
    starts = found.values_list("pk", Substr("output", 1, MOST_OF_BODY + 1))
    return {pk: bytes(start) for pk, start in starts if start}


def percent() -> int:
    """Return how much of all requests is grouped, by the distance of the keys."""
    left = FalRequest.objects.ungrouped().order_by("-pk").values_list("pk", flat=True).first()
    if left is None:
        return 100
    newest = FalRequest.objects.aggregate(newest=Max("pk"))["newest"] or left
    return min(int(100 * (newest - left) / max(newest, 1)), 99)
