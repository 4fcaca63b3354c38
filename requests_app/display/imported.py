"""What the page says of an imported run: where it was made, and its history there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from requests_app.models import FalRequest, ImportedRun, RequestOrigin
from requests_app.rules.storable import storable_text

MOST = 200  # lines of its history
MOST_OF_KIND, MOST_OF_NOTE = 30, 1000  # characters


@dataclass(frozen=True)
class EarlierChange:
    """A line of the history in the file."""

    at: datetime
    kind: str
    note: str


@dataclass(frozen=True)
class ImportedFrom:
    """The run as its file told it, and the beginning of its history."""

    run: ImportedRun
    history: list[EarlierChange]


def imported_from(row: FalRequest) -> ImportedFrom | None:
    """Return where the run comes from; None of a request that was made here."""
    if row.origin != RequestOrigin.IMPORTED:
        return None
    run = ImportedRun.objects.filter(request=row).defer("facts", "schema").first()
    if run is None:
        return None
    lines = map(json.loads, islice(filter(None, run.observations.split("\n")), MOST))
    history = [
        EarlierChange(
            datetime.fromisoformat(one["heard_at"]),
            storable_text(one["kind"], MOST_OF_KIND),
            storable_text(one["note"], MOST_OF_NOTE),
        )
        for one in lines
    ]
    return ImportedFrom(run, history)
