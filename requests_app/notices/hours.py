"""When a message may leave: after the cooldown of its rule, and outside the team's quiet hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

GATHER = timedelta(seconds=10)  # events that come together become one message


@dataclass(frozen=True)
class QuietHours:
    """From a time of day to another, which may be the next day's; equal ones are the whole day."""

    zone: str
    start: time
    end: time

    def end_of(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours that the moment is in end; None outside of them."""
        there = moment.astimezone(ZoneInfo(self.zone))
        clock = there.time()
        if self.start < self.end:
            is_quiet = self.start <= clock < self.end
        else:
            is_quiet = clock >= self.start or clock < self.end
        if not is_quiet:
            return None
        day = there.date() + timedelta(days=clock >= self.end)
        # A time that the clocks leave out is the moment at which they go on.
        return datetime.combine(day, self.end, there.tzinfo).astimezone(UTC)


def leaves_at(
    now: datetime, *, last: datetime | None, cooldown: timedelta, quiet: QuietHours | None
) -> datetime:
    """Return when a message that is begun now leaves; `last`: when the one before it was begun."""
    earliest = now + GATHER
    if last is not None:
        earliest = max(earliest, last + cooldown)
    return after_quiet(earliest, quiet)


def after_quiet(moment: datetime, quiet: QuietHours | None) -> datetime:
    """Return the moment, or the end of the quiet hours that it is in."""
    return (quiet.end_of(moment) if quiet else None) or moment
