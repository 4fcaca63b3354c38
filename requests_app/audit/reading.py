"""The trail of a team: filtered, newest first, a page at a time or as a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from requests_app.models import AuditAct, AuditEntry

PAGE_SIZE = 50
AT_ONCE = 500  # entries of an export read at once
COLUMNS = (
    "id", "at", "act", "actor", "token", "address", "kind", "object_id", "label", "details", "seal",
)  # fmt: skip
KINDS = {
    "login": "Log-ins",
    "access": "Denied",
    "request": "Requests",
    "bulk": "Bulk actions",
    "batch": "Batches",
    "key": "fal keys",
    "token": "Tokens",
    "team": "Members and roles",
    "setting": "Settings",
}


@dataclass(frozen=True)
class Wanted:
    """Which entries. Empty fields leave nothing out; `since` and `until` are moments."""

    kind: str = ""
    actor: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def of(self, team_id: int) -> QuerySet[AuditEntry]:
        """Return the team's entries, newest first."""
        rows = AuditEntry.objects.filter(chain=team_id)
        if self.kind:
            rows = rows.filter(act__in=[act for act in AuditAct if act.startswith(f"{self.kind}.")])
        if self.actor:
            rows = rows.filter(actor=self.actor)
        if self.object_id:
            rows = rows.filter(object_id=self.object_id)
        if self.since:
            rows = rows.filter(at__gte=self.since)
        if self.until:
            rows = rows.filter(at__lt=self.until)
        return rows.order_by("-pk")


def page(rows: QuerySet[AuditEntry], before: int | None) -> tuple[list[AuditEntry], int | None]:
    """Return a page of entries older than `before`, and the cursor of the next one, None at the end."""
    older = rows if before is None else rows.filter(pk__lt=before)
    found = list(older[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return shown, shown[-1].pk if len(found) > PAGE_SIZE else None


def records(
    rows: QuerySet[AuditEntry], conceal: Callable[[AuditEntry], None] | None = None
) -> Iterator[dict[str, object]]:
    """Yield entries as records of `COLUMNS`; the seal by its number. `conceal` takes out what the reader may not know."""
    before: int | None = None
    while some := list(
        (rows if before is None else rows.filter(pk__lt=before)).select_related("seal")[:AT_ONCE]
    ):
        for entry in some:
            if conceal:
                conceal(entry)
            yield record(entry)
        before = some[-1].pk


def record(entry: AuditEntry) -> dict[str, object]:
    """Return an entry as a record of `COLUMNS`."""
    told: dict[str, object] = {name: getattr(entry, name) for name in COLUMNS[:-2]}
    told["at"] = entry.at.isoformat()
    told["details"] = json.loads(entry.details) if entry.details else {}
    told["seal"] = entry.seal.number if entry.seal else None
    return told
