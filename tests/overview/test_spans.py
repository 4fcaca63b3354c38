"""Ranges of time and the spans that cover them: no gap, no overlap, days of the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from requests_app.models import DAY, HOUR, MINUTE
from requests_app.overview.spans import DAYS, Range, bars, floor, stretches

MOMENTS = st.integers(0, 730 * DAY).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia"]
).map(ZoneInfo)


@given(st.sampled_from(Range), MOMENTS, ZONES, st.integers(0, 50))
def test_stretches_cover_a_range_once(
    asked: Range, now: datetime, zone: ZoneInfo, behind: int
) -> None:
    begins = bars(asked, now, zone)
    assert begins == sorted(set(begins))
    assert begins[-1] <= now
    assert len(begins) == {Range.HOUR: 60, Range.DAY: 24, Range.MONTH: DAYS}[asked]
    end, at = floor(now, MINUTE), begins[0]
    closed = floor(now, HOUR) - timedelta(hours=behind)
    for part in stretches(begins[0], end, closed):
        assert part.begin == at
        assert floor(part.begin, part.seconds) == part.begin
        assert floor(part.end, part.seconds) == part.end
        assert part.seconds == MINUTE or part.end <= max(closed, begins[0])
        at = part.end
    assert at == end


def test_days_begin_where_the_reader_is() -> None:
    now = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
    in_berlin = bars(Range.MONTH, now, ZoneInfo("Europe/Berlin"))
    assert in_berlin[-1] == datetime(2026, 11, 19, 23, tzinfo=UTC)
    in_new_york = bars(Range.MONTH, now, ZoneInfo("America/New_York"))
    assert in_new_york[-1] == datetime(2026, 11, 19, 5, tzinfo=UTC)
    # Half an hour after its midnight, for figures are kept by the hour.
    assert bars(Range.MONTH, now, ZoneInfo("Asia/Kolkata"))[-1] == datetime(
        2026, 11, 19, 19, tzinfo=UTC
    )


def test_a_day_that_the_clocks_lengthen_is_one_bar() -> None:
    now = datetime(2026, 10, 27, 12, tzinfo=UTC)
    begins = bars(Range.MONTH, now, ZoneInfo("Europe/Berlin"))
    longest = max(after - before for before, after in pairwise(begins))
    assert longest == timedelta(hours=25)


def test_a_month_is_read_by_days_where_it_can_be() -> None:
    now = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
    begin = bars(Range.MONTH, now, ZoneInfo("Europe/Berlin"))[0]
    by = [(part.seconds, part.end - part.begin) for part in stretches(begin, now, floor(now, HOUR))]
    assert by == [
        (HOUR, timedelta(hours=2)),
        (DAY, timedelta(days=29)),
        (HOUR, timedelta(hours=12)),
        (MINUTE, timedelta(minutes=30)),
    ]
