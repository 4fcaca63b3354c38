"""What has to be counted anew; called by the lifecycle in the transaction that changes or removes requests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from requests_app.models import DAY, HOUR, MINUTE, FalRequest, RollUp, RollUpMark
from requests_app.overview.counting import counted_one
from requests_app.overview.spans import KEPT_BY_MINUTE, floor
from requests_app.overview.tally import Tally


def mark(rows: Iterable[FalRequest]) -> None:
    """Have the minutes in which these requests were created counted anew."""
    mark_minutes({(row.team_id, floor(row.created_at, MINUTE)) for row in rows})


def mark_minutes(minutes: Iterable[tuple[int, datetime]]) -> None:
    """Have these minutes of teams counted anew."""
    marks = [RollUpMark(team_id=team, minute=minute) for team, minute in sorted(minutes)]
    if len(marks) == 1:
        marks[0].save(force_insert=True)
    elif marks:
        RollUpMark.objects.bulk_create(marks)


def mark_older(made: Iterable[tuple[int, datetime]], now: datetime) -> None:
    """Mark what was created at these times: where figures by the minute are gone, the hour alone."""
    by_minute = now - 2 * KEPT_BY_MINUTE
    mark_minutes({(team, floor(at, MINUTE if at >= by_minute else HOUR)) for team, at in made})


def keep_removed(row: FalRequest) -> None:
    """Keep the figures of a request that is about to be deleted in this transaction."""
    for (user, endpoint), tally in sorted(counted_one(row).items(), key=lambda one: one[0]):
        for seconds in (DAY, HOUR, MINUTE):
            _add_removed(row, seconds, user, endpoint, tally)
    mark([row])


def _add_removed(row: FalRequest, seconds: int, user: int, endpoint: str, tally: Tally) -> None:
    kept, is_new = RollUp.objects.select_for_update().get_or_create(
        team_id=row.team_id, seconds=seconds, user_key=user, begins=floor(row.created_at, seconds),
        endpoint_id=endpoint, is_removed=True,
        defaults={"more": tally.more, **vars(tally.ends)},
    )  # fmt: skip
    if not is_new:
        whole = Tally.of(kept)
        whole.add(tally)
        RollUp.objects.filter(pk=kept.pk).update(more=whole.more, **vars(whole.ends))
