"""How moments read; the browser test asks static/js the same table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from requests_app.display.times import (
    TimeStyle,
    age,
    clock,
    exact,
    full,
    known_zones,
    read_moment,
    zones_by_region,
)

CASES = json.loads(Path(__file__).with_name("time_cases.json").read_text())
AGES = [
    (0, "0 s ago"), (0.9, "0 s ago"), (-0.5, "0 s ago"), (59.9, "59 s ago"), (60, "1 m ago"),
    (3599, "59 m ago"), (3600, "1 h ago"), (86399, "23 h ago"), (86400 * 400, "400 d ago"),
    (-1.5, "in 1 s"), (-90, "in 1 m"), (-86400 * 7, "in 7 d"),
]  # fmt: skip
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(("moment", "zone", "hours", "line", "below", "hover"), CASES)
def test_a_moment_reads_in_the_chosen_zone_and_clock(
    moment: str, zone: str, hours: int, line: str, below: str, hover: str
) -> None:
    at, style = datetime.fromisoformat(moment), TimeStyle(zone, hours=hours)
    assert (exact(at, style), clock(at, style), full(at, style)) == (line, below, hover)


@pytest.mark.parametrize("zone", ["local", "UTC", "Mars/Olympus", "../../etc/passwd", "Europe", ""])
def test_what_is_no_zone_here_is_utc_and_says_so(zone: str) -> None:
    assert full(NOON, TimeStyle(zone)) == "2026-11-23 12:00:00.000 UTC"


@pytest.mark.parametrize(("seconds", "text"), AGES)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert age(NOON - timedelta(seconds=seconds), NOON) == text


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_the_ends_of_the_calendar_are_shown_too(moment: str, zone: str) -> None:
    assert full(datetime.fromisoformat(moment), TimeStyle(zone))[:4] == moment[:4]


@pytest.mark.parametrize(
    "text",
    [
        "2024-12-20T15:37:17.120314",
        "2024-12-20T15:37:17.120314Z",
        "2024-12-20T15:37:17.120314999+00:00",
        "2024-12-20 15:37:17,120",
        "2024-12-20T15:37:17.120 UTC",
        "2024-12-20T21:07:17.120+0530",
        "20241220T153717.120",
        " 2024-12-20T15:37:17.120 ",
        "1734709037.12",
        "1734709037120",
        "1734709037120314",
        "1734709037120314999",
    ],
)
def test_the_time_of_a_log_line_is_read_in_any_usual_form(text: str) -> None:
    found = read_moment(text)
    assert found is not None
    assert clock(found, TimeStyle("UTC")) == "15:37:17.120 UTC"


def test_a_mail_date_is_read_too() -> None:
    assert read_moment("Fri, 20 Dec 2024 15:37:17 -0500") == datetime(
        2024, 12, 20, 20, 37, 17, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "15:37:17", "nan", "2024-13-01T00:00:00", "2024-12-20T15:37:60",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 40, "1" * 5000, "{}",
        "\u00b2\u00b2\u00b2\u00b2-12-20", "Fri, 99 Dec 2024 15:37:17 GMT",
    ],
)  # fmt: skip
def test_what_names_no_moment_is_none(text: str) -> None:
    assert read_moment(text) is None


def test_every_zone_that_is_offered_is_known_and_can_be_written_in() -> None:
    offered = [zone for _, zones in zones_by_region() for zone in zones]
    assert len(offered) > 300
    assert set(offered) < known_zones()
    assert all(exact(NOON, TimeStyle(zone)) for zone in offered)
