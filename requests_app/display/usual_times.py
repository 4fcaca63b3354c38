"""How long a request usually takes: the medians of the team's own newest runs of the same endpoint and mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from requests_app.models import FalRequest, Mode, Status

LOOK_BACK = 100  # newest rows of the endpoint, whatever became of them: the index has them in order
MOST = 20  # completed runs that count
FEWEST = 2  # one run is no habit


@dataclass(frozen=True)
class Usual:
    """Medians in seconds over `runs` completed runs; `running`: from the start, None where it is not known."""

    runs: int
    whole: float
    running: float | None


@dataclass(frozen=True)
class Expected:
    """Since `since` it usually takes `seconds`, by so many `runs`."""

    since: datetime
    seconds: float
    runs: int


def expected(row: FalRequest) -> Expected | None:
    """Return what a live row is expected to take; None when too few runs are known, or for a session."""
    if row.is_ended or row.status == Status.UNCERTAIN or row.mode == Mode.REALTIME:
        return None
    usual = usual_times(row)
    if usual is None:
        return None
    if row.status == Status.IN_PROGRESS and row.started_at and usual.running is not None:
        return Expected(row.started_at, usual.running, usual.runs)
    return Expected(row.created_at, usual.whole, usual.runs)


def usual_times(row: FalRequest) -> Usual | None:
    """Return the medians for the row's endpoint and mode; None when too few runs are known."""
    same = FalRequest.objects.made_here().filter(team_id=row.team_id, endpoint_id=row.endpoint_id)
    newest = same.order_by("-id").values_list(
        "mode", "status", "created_at", "started_at", "ended_at"
    )[:LOOK_BACK]
    found = [times for mode, status, *times in newest if (mode, status) == _wanted(row)][:MOST]
    if len(found) < FEWEST:
        return None
    running = list(_spans((start, end) for _, start, end in found))
    return Usual(
        len(found),
        median(_spans((created, end) for created, _, end in found)),
        median(running) if len(running) >= FEWEST else None,
    )


def _wanted(row: FalRequest) -> tuple[str, str]:
    return row.mode, Status.COMPLETED


def _spans(pairs: Iterable[tuple[datetime | None, datetime | None]]) -> Iterable[float]:
    return [max(0.0, (end - start).total_seconds()) for start, end in pairs if start and end]
