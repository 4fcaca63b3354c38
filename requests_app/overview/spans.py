"""Pure: ranges of time, the bars they are drawn with, and which spans of roll-ups cover them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from requests_app.models import DAY, HOUR, MINUTE

MINUTES, HOURS, DAYS = 60, 24, 30  # bars of each range
KEPT_BY_MINUTE = timedelta(hours=2)  # before the last hour that is closed


class Range(StrEnum):
    """How far back. Documented in the API."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"  # 30 days of the reader's zone, today among them


@dataclass(frozen=True)
class Stretch:
    """A part of a range that roll-ups of one length cover."""

    seconds: int
    begin: datetime
    end: datetime


def floor(moment: datetime, seconds: int) -> datetime:
    """Return the begin of the span of this length, in UTC, that a moment lies in."""
    since = int(moment.timestamp())
    return datetime.fromtimestamp(since - since % seconds, UTC)


def bars(asked: Range, now: datetime, zone: tzinfo) -> list[datetime]:
    """Return the begin of each bar; the last one is not over yet.

    Figures are kept by the hour: where a zone's days begin between two hours, the bars begin with the next one.
    """
    if asked is Range.HOUR:
        return _evenly(floor(now, MINUTE), MINUTE, MINUTES)
    if asked is Range.DAY:
        return _evenly(floor(now, HOUR), HOUR, HOURS)
    return _days(now, zone)


def _evenly(last: datetime, seconds: int, count: int) -> list[datetime]:
    return [last - timedelta(seconds=seconds * back) for back in reversed(range(count))]


def _days(now: datetime, zone: tzinfo) -> list[datetime]:
    today = now.astimezone(zone).date()
    found = []
    for back in reversed(range(DAYS + 1)):
        day = today - timedelta(days=back)
        begin = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        hour = floor(begin, HOUR)
        found.append(hour if hour == begin else hour + timedelta(seconds=HOUR))
    # Within the first minutes of such a day its bar has not begun.
    return [begin for begin in found if begin <= now][-DAYS:]


def stretches(begin: datetime, end: datetime, closed_until: datetime) -> Iterator[Stretch]:
    """Cover a range with the longest spans that have figures; both ends are those of a minute.

    A range that begins within an hour is covered by minutes.
    """
    closed = min(max(closed_until, begin), end) if begin == floor(begin, HOUR) else begin
    first_day = min(_ceil(begin, DAY), closed)
    last_day = max(floor(closed, DAY), first_day)
    for seconds, start, stop in (
        (HOUR, begin, first_day),
        (DAY, first_day, last_day),
        (HOUR, last_day, closed),
        (MINUTE, closed, end),
    ):
        if start < stop:
            yield Stretch(seconds, start, stop)


def _ceil(moment: datetime, seconds: int) -> datetime:
    begin = floor(moment, seconds)
    return begin if begin == moment else begin + timedelta(seconds=seconds)
