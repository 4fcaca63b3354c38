"""The background: counts what is marked, closes hours and days, and goes through the history, a piece at a time.

One process at a time has the lease. It reads the marks, then counts what they name outside of a transaction, then
writes the figures and deletes those very marks, if the lease is still its own. A change at any time in between leaves
a mark that stays; a crash leaves all of them. So nothing is missed, and nothing is counted twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from requests_app.models import (
    DAY,
    HOUR,
    MINUTE,
    FalRequest,
    RollUp,
    RollUpMark,
    RollUpProgress,
    Team,
)
from requests_app.overview.counting import Tallies, counted_spans
from requests_app.overview.marks import mark_older
from requests_app.overview.spans import KEPT_BY_MINUTE, floor
from requests_app.overview.tally import Tally

MOST_MARKS = 1000  # that are read at once
MOST_SPANS = 100  # minutes and hours that are counted at once
HISTORY = 2000  # older requests whose hours are marked at once
LEASE = timedelta(seconds=60)

Span = tuple[int, int, datetime]  # team, seconds, begin


def count_piece(now: datetime) -> bool:
    """Do the next piece; return whether there is more to do at once."""
    progress = _take(now)
    if progress is None:
        return False
    has_closed = _close(progress, now)
    work = _read_marks(progress.closed_until)
    if work.marks:
        _count_marked(progress, work)
    has_more = has_closed or work.is_cut
    if progress.below and not work.is_cut:
        _mark_history(progress, now)
        has_more = True
    _mine(progress).update(lease=None, leased_until=None, counted_at=now)
    return has_more


def count_all(now: datetime) -> None:
    """Do all there is to do; for commands and measurements."""
    while count_piece(now):
        pass


def start_again() -> None:
    """Have everything counted anew, from the newest request on; figures of removed requests stay."""
    newest = FalRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0
    RollUpProgress.objects.update(top=newest, below=newest + 1 if newest else 0)


def _take(now: datetime) -> RollUpProgress | None:
    """Take the lease when there is something to do; None when there is not, or another process has it."""
    progress = RollUpProgress.objects.first() or _first(now)
    is_due = progress.below or progress.closed_until + timedelta(seconds=HOUR) <= now
    if not is_due and not RollUpMark.objects.exists():
        return None
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    mine = RollUpProgress.objects.filter(free, pk=progress.pk)
    token = uuid4()
    if not mine.update(lease=token, leased_until=now + LEASE):
        return None
    return RollUpProgress.objects.get(pk=progress.pk)


def _first(now: datetime) -> RollUpProgress:
    newest = FalRequest.objects.aggregate(newest=Max("pk"))["newest"] or 0
    first = {
        "closed_until": floor(now, HOUR),
        "top": newest,
        "below": newest + 1 if newest else 0,
    }
    return RollUpProgress.objects.get_or_create(pk=1, defaults=first)[0]


def _mine(progress: RollUpProgress) -> QuerySet[RollUpProgress]:
    """Return the row while the lease is this process's own."""
    return RollUpProgress.objects.filter(pk=progress.pk, lease=progress.lease)


def _holds(progress: RollUpProgress) -> bool:
    """Lock the row in the caller's transaction; False when the lease is another's by now."""
    return _mine(progress).select_for_update().exists()


# --- What is marked ----------------------------------------------------------------------------


@dataclass
class _Work:
    """Marks that have been read, and what has to be counted for them."""

    marks: list[int] = field(default_factory=list)
    spans: set[Span] = field(default_factory=set)
    is_cut: bool = False  # there are more


def _count_marked(progress: RollUpProgress, work: _Work) -> None:
    found = _counted(progress, work.spans)
    days = {(team, DAY, floor(begin, DAY)) for team, seconds, begin in found if seconds == HOUR}
    for team, seconds, begin in days:
        end = begin + timedelta(seconds=seconds)
        if end <= progress.closed_until:
            found[team, seconds, begin] = _added_up(team, HOUR, begin, end, found)
    with transaction.atomic():
        if _holds(progress):
            _write(found)
            RollUpMark.objects.filter(pk__in=work.marks).delete()


def _counted(progress: RollUpProgress, spans: set[Span]) -> dict[Span, Tallies]:
    """Count minutes and hours: from their requests, neighbours in one query, or hours from their minutes."""
    by_minute = progress.closed_until - KEPT_BY_MINUTE
    summed = sorted(span for span in spans if span[1] == HOUR and span[2] >= by_minute)
    found: dict[Span, Tallies] = {}
    for team, seconds, begin, end in _runs(spans - set(summed)):
        tallies = counted_spans(team, begin, end, seconds)
        at = begin
        while at < end:
            found[team, seconds, at] = tallies.get(at, {})
            at += timedelta(seconds=seconds)
    for team, seconds, begin in summed:
        end = begin + timedelta(seconds=seconds)
        found[team, seconds, begin] = _added_up(team, MINUTE, begin, end, found)
    return found


def _runs(spans: set[Span]) -> Iterable[tuple[int, int, datetime, datetime]]:
    """Yield spans that follow each other as one: team, length of each, begin, end."""
    run: tuple[int, int, datetime, datetime] | None = None
    for team, seconds, begin in sorted(spans):
        end = begin + timedelta(seconds=seconds)
        if run and run[:2] == (team, seconds) and run[3] == begin:
            run = (*run[:3], end)
            continue
        if run:
            yield run
        run = (team, seconds, begin, end)
    if run:
        yield run


def _read_marks(closed_until: datetime) -> _Work:
    """Read marks, the newest first, until so many spans have to be counted."""
    work = _Work()
    newest = RollUpMark.objects.order_by("-pk").values_list("pk", "team_id", "minute")
    read = list(newest[:MOST_MARKS])
    for pk, team, minute in read:
        spans = set(_spans_of(team, minute, closed_until))
        if len(work.spans | spans) <= MOST_SPANS or spans <= work.spans:
            work.spans |= spans
            work.marks.append(pk)
    work.is_cut = len(read) == MOST_MARKS or len(work.marks) < len(read)
    return work


def _spans_of(team: int, minute: datetime, closed_until: datetime) -> Iterable[Span]:
    if minute >= closed_until - KEPT_BY_MINUTE:
        yield team, MINUTE, minute
    if minute < closed_until:
        yield team, HOUR, floor(minute, HOUR)


def _added_up(
    team: int, seconds: int, begin: datetime, end: datetime, fresh: dict[Span, Tallies]
) -> Tallies:
    """Add up the shorter spans in between: those that have just been counted, and the others as they are stored."""
    whole: Tallies = defaultdict(Tally)
    for (of, length, at), tallies in fresh.items():
        if (of, length) == (team, seconds) and begin <= at < end:
            for key, tally in tallies.items():
                whole[key].add(tally)
    stored = RollUp.objects.filter(
        team_id=team, seconds=seconds, begins__gte=begin, begins__lt=end, is_removed=False
    )
    for row in stored:
        if (team, seconds, row.begins) not in fresh:
            whole[row.user_key, row.endpoint_id].add(Tally.of(row))
    return dict(whole)


def _write(found: dict[Span, Tallies]) -> None:
    """Replace what is stored of these spans."""
    begins: dict[tuple[int, int], list[datetime]] = defaultdict(list)
    for team, seconds, begin in found:
        begins[team, seconds].append(begin)
    for (team, seconds), some in begins.items():
        RollUp.objects.filter(
            team_id=team, seconds=seconds, begins__in=some, is_removed=False
        ).delete()
    rows = (
        tally.stored(
            team_id=team, seconds=seconds, begins=begin, user_key=user, endpoint_id=endpoint
        )
        for (team, seconds, begin), tallies in found.items()
        for (user, endpoint), tally in tallies.items()
    )
    RollUp.objects.bulk_create(rows, batch_size=500)


# --- Hours and days that are over --------------------------------------------------------------


def _close(progress: RollUpProgress, now: datetime) -> bool:
    """Give the next hour that is over figures of its own, and its day; return whether there was one."""
    begin = progress.closed_until
    end = begin + timedelta(seconds=HOUR)
    if end > now:
        return False
    with transaction.atomic():
        if not _holds(progress):
            return False
        for team in Team.objects.values_list("pk", flat=True):
            _write({(team, HOUR, begin): _added_up(team, MINUTE, begin, end, {})})
            if end == floor(end, DAY):
                day = end - timedelta(seconds=DAY)
                _write({(team, DAY, day): _added_up(team, HOUR, day, end, {})})
            old = end - KEPT_BY_MINUTE
            RollUp.objects.filter(team_id=team, seconds=MINUTE, begins__lt=old).delete()
        _mine(progress).update(closed_until=end)
    progress.closed_until = end
    return True


# --- Requests of before the counts -------------------------------------------------------------


def _mark_history(progress: RollUpProgress, now: datetime) -> None:
    """Mark the hours of the next older requests."""
    older = FalRequest.objects.filter(pk__lt=progress.below).order_by("-pk")
    rows = list(older.values_list("pk", "team_id", "created_at")[:HISTORY])
    with transaction.atomic():
        if _holds(progress):
            mark_older(((team, made) for _, team, made in rows), now)
            _mine(progress).update(below=rows[-1][0] if rows else 0)
