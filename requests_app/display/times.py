"""Format moments: as an age or exactly, in which zone, with 12 or 24 hours. Pure.

static/js/lib/timetext.js writes the same for the same choices; one table of cases tests both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import cache
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

LOCAL = "local"
_REGIONS = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/",
    "Indian/", "Pacific/",
)  # fmt: skip
_NO_ZONES = {"Factory", "localtime", "posixrules"}
LONGEST = 50  # characters of a moment in words
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))  # seconds
_EPOCH = re.compile(r"\d{9,20}(\.\d+)?", re.ASCII)
_NAMED_UTC = re.compile(r"\s*(UTC|GMT)$")


@dataclass(frozen=True)
class TimeStyle:
    """A user's choice. ``local`` is the browser's zone, which the server does not know: it writes
    UTC.
    """

    zone: str = LOCAL
    has_ages: bool = True  # "3 m ago" in lists; else the exact time there too
    hours: int = 24

    @property
    def tz(self) -> tzinfo:
        """Return the zone to write in; UTC for one that is not (or no longer) known here."""
        is_named = self.zone != "UTC" and self.zone in known_zones()
        return ZoneInfo(self.zone) if is_named else UTC


@cache
def known_zones() -> frozenset[str]:
    """Return every known name of the IANA database."""
    return frozenset(available_timezones() - _NO_ZONES)


@cache
def zones_by_region() -> list[tuple[str, list[str]]]:
    """Return the zones to choose from: those that are named after a place."""
    names = sorted(name for name in known_zones() if name.startswith(_REGIONS))
    groups = groupby(names, key=lambda name: name.partition("/")[0])
    return [(region, list(zones)) for region, zones in groups]


def age(moment: datetime, now: datetime) -> str:
    """Return an age in one unit: 4 s ago, 3 m ago, in 2 d."""
    seconds = int((now - moment).total_seconds())
    text = f"{abs(seconds)} s"
    for length, unit in _UNITS:
        if abs(seconds) >= length:
            text = f"{abs(seconds) // length} {unit}"
            break
    return f"in {text}" if seconds < 0 else f"{text} ago"


def exact(moment: datetime, style: TimeStyle) -> str:
    """Return 2026-11-23 16:02:11 UTC+1."""
    there = _in(moment, style.tz)
    return f"{_day(there)} {_clock(there, style.hours)} {_offset(there)}"


def clock(moment: datetime, style: TimeStyle) -> str:
    """Return 16:02:11.120 UTC+1, for many moments of one day below each other."""
    there = _in(moment, style.tz)
    return f"{_clock(there, style.hours, has_ms=True)} {_offset(there)}"


def full(moment: datetime, style: TimeStyle) -> str:
    """Return 2026-11-23 16:02:11.120 Europe/Berlin (UTC+1)."""
    there = _in(moment, style.tz)
    zone = "UTC" if there.tzinfo is UTC else f"{style.zone} ({_offset(there)})"
    return f"{_day(there)} {_clock(there, style.hours, has_ms=True)} {zone}"


def _in(moment: datetime, tz: tzinfo) -> datetime:
    try:
        return moment.astimezone(tz)
    except OverflowError:  # the first or last day of the calendar
        return moment.astimezone(UTC)


def _day(there: datetime) -> str:
    return f"{there.year:04}-{there.month:02}-{there.day:02}"


def _clock(there: datetime, hours: int, *, has_ms: bool = False) -> str:
    ms = f".{there.microsecond // 1000:03}" if has_ms else ""
    rest = f"{there.minute:02}:{there.second:02}{ms}"
    if hours == 24:
        return f"{there.hour:02}:{rest}"
    return f"{there.hour % 12 or 12}:{rest} {'AM' if there.hour < 12 else 'PM'}"


def _offset(there: datetime) -> str:
    """Return UTC, UTC+1, UTC-3:30: unlike CET or IST these are unambiguous."""
    minutes = int((there.utcoffset() or timedelta()).total_seconds() / 60)
    if not minutes:
        return "UTC"
    whole, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{whole}{f':{rest:02}' if rest else ''}"


def read_moment(text: str) -> datetime | None:
    """Parse a moment from the wire; without a zone it is UTC. None when the text names none."""
    text = text.strip()
    if len(text) > LONGEST:
        return None  # its beginning alone could be parsed as one
    try:
        found = _from_epoch(text) if _EPOCH.fullmatch(text) else _from_words(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _from_words(text: str) -> datetime:
    if not re.match(r"\d{4}", text):
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(_NAMED_UTC.sub("+00:00", text))


def _from_epoch(text: str) -> datetime:
    """Parse seconds, milli-, micro- or nanoseconds, told apart by their number of digits."""
    digits = len(text.partition(".")[0])
    power = 0 if digits <= 11 else 3 if digits <= 14 else 6 if digits <= 17 else 9
    return datetime.fromtimestamp(float(text) / 10**power, UTC)
