"""Pure: times and durations as the search box takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d|w)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ Tt]\d\d:\d\d(?::\d\d)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_LONGEST = timedelta(days=36500)


def span(text: str) -> timedelta | None:
    """Read `30s`, `1.5h`, `2d`; None for anything else and for more than a century."""
    match = _SPAN.fullmatch(text.strip().lower())
    if not match:
        return None
    seconds = float(match[1]) * _UNITS[match[2]]
    return timedelta(seconds=seconds) if seconds <= _LONGEST.total_seconds() else None


def moment(text: str, now: datetime) -> datetime | None:
    """Read `2d` (so long ago), `2026-11-01` (its begin in UTC) or `2026-11-01T14:30`; None for anything else."""
    text = text.strip()
    if (ago := span(text)) is not None:
        return now - ago
    if not (_DAY.fullmatch(text) or _MOMENT.fullmatch(text)):
        return None
    try:
        found = datetime.fromisoformat(text.upper())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Bound:
    """A comparison with a duration."""

    is_lower: bool
    is_open: bool  # the bound itself is left out
    span: timedelta


def bound(text: str) -> Bound | None:
    """Read `>30s`, `<=2m`, and `30s`, which means at least; None for anything else."""
    match = re.fullmatch(r"(>=|<=|>|<)?(.*)", text.strip(), re.DOTALL)
    found = span(match[2]) if match else None
    if match is None or found is None:
        return None
    sign = match[1] or ">="
    return Bound(sign.startswith(">"), sign in "<>", found)
