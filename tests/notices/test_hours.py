"""When a message may leave."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from requests_app.notices.hours import GATHER, QuietHours, leaves_at

NIGHT = QuietHours("Europe/Berlin", time(22), time(7))
NOON = QuietHours("UTC", time(12), time(13, 30))
ALL = QuietHours("UTC", time(0), time(0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "end"),
    [
        (NIGHT, "2026-11-30T20:59:59", None),  # 21:59:59 in Berlin
        (NIGHT, "2026-11-30T21:00:00", "2026-12-01T06:00:00"),
        (NIGHT, "2026-12-01T05:59:59", "2026-12-01T06:00:00"),
        (NIGHT, "2026-12-01T06:00:00", None),
        (NIGHT, "2026-07-01T20:00:00", "2026-07-02T05:00:00"),  # summer time
        (NIGHT, "2026-03-28T22:00:00", "2026-03-29T05:00:00"),  # over the night in which it begins
        (NIGHT, "2026-10-24T22:00:00", "2026-10-25T06:00:00"),  # and ends
        (NOON, "2026-11-30T12:00:00", "2026-11-30T13:30:00"),
        (NOON, "2026-11-30T13:30:00", None),
        (ALL, "2026-11-30T13:30:00", "2026-12-01T00:00:00"),
    ],
)
def test_quiet_hours_end_at_the_teams_own_clock(
    quiet: QuietHours, moment: str, end: str | None
) -> None:
    assert quiet.end_of(utc(moment)) == (utc(end) if end else None)


def test_a_message_waits_for_the_cooldown_and_then_for_the_end_of_the_quiet_hours() -> None:
    now, five = utc("2026-11-30T12:00:00"), timedelta(minutes=5)
    assert leaves_at(now, last=None, cooldown=five, quiet=None) == now + GATHER
    assert leaves_at(now, last=now - timedelta(hours=1), cooldown=five, quiet=None) == now + GATHER
    assert leaves_at(now, last=now, cooldown=five, quiet=None) == now + five
    late = utc("2026-11-30T20:58:00")
    assert leaves_at(late, last=late, cooldown=five, quiet=NIGHT) == utc("2026-12-01T06:00:00")
