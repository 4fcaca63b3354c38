"""Retention: delete data of ended requests after the number of days that the team has set.

There are three kinds, each with its own days: the payload (input, output, logs, webhook bodies), the
frames of streams and sessions, and whole rows with all their evidence. Media are never stored here. Live
and uncertain requests are never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Exists, OuterRef, Sum
from django.db.models.functions import Length

from requests_app import lifecycle
from requests_app.models import ENDED, FalRequest, Frame, Team
from requests_app.models.request import FalRequestQuerySet as Rows

BATCH = 50  # rows deleted in one transaction: a stream may have 100,000 frames


class RetentionKind(StrEnum):
    """What is removed, in this order; the team's column is `<kind>_days`."""

    ROWS = "rows"
    PAYLOAD = "payload"
    FRAMES = "frames"


@dataclass(frozen=True)
class Share:
    """Expired data: `requests` of one team, about `size` bytes without the evidence."""

    team: Team
    kind: RetentionKind
    days: int
    requests: int
    size: int


def plan(now: datetime, teams: list[Team]) -> list[Share]:
    """Return what `prune` would remove now, without changing anything."""
    return [_share(team, kind, days, now) for team, kind, days in _rules(teams)]


def prune(now: datetime, teams: list[Team]) -> Iterator[Share]:
    """Remove expired data rule by rule; after an interruption the next call continues."""
    for share in plan(now, teams):
        removed = _REMOVERS[share.kind](_due(share.team, share.kind, now), share.days, now)
        yield Share(share.team, share.kind, share.days, removed, share.size)


def _rules(teams: list[Team]) -> Iterator[tuple[Team, RetentionKind, int]]:
    for team in teams:
        for kind in RetentionKind:
            days = getattr(team, f"{kind}_days")
            if days is not None:
                yield team, kind, days


def _due(team: Team, kind: RetentionKind, now: datetime) -> Rows:
    """Return rows with expired data; rows that expire as a whole count only for `RetentionKind.ROWS`."""
    ended = FalRequest.objects.filter(team=team, status__in=ENDED)
    ended = ended.filter(ended_at__lt=now - timedelta(days=getattr(team, f"{kind}_days")))
    if kind == RetentionKind.ROWS:
        return ended
    if team.rows_days is not None:
        ended = ended.filter(ended_at__gte=now - timedelta(days=team.rows_days))
    if kind == RetentionKind.PAYLOAD:
        return ended.filter(payload_removed_at=None)
    has_frames = Exists(Frame.objects.filter(request=OuterRef("pk")))
    return ended.filter(has_frames, frames_removed_at=None)


def _share(team: Team, kind: RetentionKind, days: int, now: datetime) -> Share:
    due = _due(team, kind, now)
    return Share(team, kind, days, due.count(), _size(due, kind))


def _size(due: Rows, kind: RetentionKind) -> int:
    frames = Frame.objects.filter(request__in=due).aggregate(sum=Sum("size"))["sum"] or 0
    texts = due.aggregate(input=Sum(Length("input_text")), output=Sum("output_size"))
    payload = (texts["input"] or 0) + (texts["output"] or 0)
    return int(
        {
            RetentionKind.FRAMES: frames,
            RetentionKind.PAYLOAD: payload,
            RetentionKind.ROWS: frames + payload,
        }[kind]
    )


def _remove_rows(due: Rows, days: int, now: datetime) -> int:
    removed = 0
    keys = list(due.values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        batch = FalRequest.objects.filter(pk__in=keys[start : start + BATCH])
        _, by_model = batch.only("pk").delete()
        removed += by_model[FalRequest._meta.label]
    return removed


def _remove_payload(due: Rows, days: int, now: datetime) -> int:
    keys = list(due.values_list("pk", flat=True))
    return sum(lifecycle.remove_payload(pk, days=days, now=now) for pk in keys)


def _remove_frames(due: Rows, days: int, now: datetime) -> int:
    keys = list(due.values_list("pk", flat=True))
    return sum(lifecycle.remove_frames(pk, days=days, now=now) for pk in keys)


_REMOVERS: dict[RetentionKind, Callable[[Rows, int, datetime], int]] = {
    RetentionKind.ROWS: _remove_rows,
    RetentionKind.PAYLOAD: _remove_payload,
    RetentionKind.FRAMES: _remove_frames,
}
