"""Requests that ended before the media of outputs were noted: look at their outputs once."""

from __future__ import annotations

from collections.abc import Collection

from requests_app.display import summary
from requests_app.models import FalRequest

AT_ONCE = 10  # outputs in memory


def note_media(pks: Collection[int]) -> None:
    """Note what the kept outputs of these requests hold to look at."""
    rows = FalRequest.objects.filter(
        pk__in=pks, media_kinds__isnull=True, output__isnull=False, payload_removed_at=None
    )
    for row in rows.only("output", "output_type").iterator(chunk_size=AT_ONCE):
        found = summary.of_output(
            {"output": bytes(row.output or b""), "output_type": row.output_type}
        )
        if kinds := found.get("media_kinds"):
            FalRequest.objects.filter(pk=row.pk).update(media_kinds=kinds, media=found["media"])
