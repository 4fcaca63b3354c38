"""The figures of a range: those of its requests, however much of them is counted beforehand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from requests_app.overview import rolling
from requests_app.overview.counting import counted
from requests_app.overview.reading import Asked, overview_of
from requests_app.overview.spans import Range
from tests.builders import make_person
from tests.overview.test_rolling import end, make_at

NOW = datetime(2026, 11, 20, 12, 34, 56, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [BERLIN, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/St_Johns"), UTC]
AGO = (0, 1, 30, 58, 70, 600, 1400, 1500, 3000, 20_000, 40_000, 60_000)  # minutes


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    """Requests of two people and two endpoints, over more than a month; half of them ended."""
    pat = make_person("pat", team=team)
    made = []
    for number, minutes in enumerate(AGO):
        at = NOW - timedelta(minutes=minutes)
        row = make_at(
            at, team, (owner, pat)[number % 2], ("acme/img", "acme/text")[number % 3 // 2]
        )
        if number % 2:
            end(row, at, error_type="request_timeout" if number % 4 == 1 else None)
        made.append(row)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("asked", Range)
@pytest.mark.parametrize("only", [{}, {"endpoint_id": "acme/text"}, {"user_key": "pat"}])
def test_figures_are_those_of_the_requests(
    rows: list[FalRequest], team: Team, asked: Range, only: dict[str, Any]
) -> None:
    rolling.count_all(NOW)
    if "user_key" in only:
        only = {"user_key": User.objects.get(username="pat").pk}
    for zone in ZONES:
        check_figures(Asked(team.pk, asked, NOW, zone, **only))


def check_figures(asked: Asked) -> None:
    """Compare them with those that are counted from the requests."""
    shown, of = overview_of(asked), asked.only
    tallies = counted(asked.team_id, shown.begin, NOW + timedelta(1), **of)
    expected = {
        endpoint: tally for (user, endpoint), tally in tallies.items() if user == asked.user_key
    }
    assert {one.endpoint_id: one.ends for one in shown.endpoints} == {
        endpoint: tally.ends for endpoint, tally in expected.items()
    }
    assert shown.ends.total == sum(tally.ends.total for tally in expected.values()) > 0
    for bar in shown.bars:
        inside = FalRequest.objects.filter(
            team=asked.team_id, created_at__gte=bar.begin, created_at__lt=bar.end, **of
        )
        assert bar.ends.total == inside.count()
        assert bar.ends.failed == inside.filter(status=Status.FAILED).count()
    assert sum(count for _, count in shown.people) == shown.ends.total
    assert sum(count for _, count in shown.heard) == shown.ends.total - shown.ends.open
    for one in shown.endpoints:
        assert (one.run.of if one.run else 0) == expected[one.endpoint_id].run.total()


def test_a_request_of_the_present_minute_is_there_before_it_is_counted(
    team: Team, owner: User
) -> None:
    rolling.count_all(NOW)
    make_at(NOW, team, owner)
    shown = overview_of(Asked(team.pk, Range.HOUR, NOW, BERLIN))
    assert (shown.ends.total, shown.bars[-1].ends.open) == (1, 1)
    [waiting] = shown.in_flight
    assert (waiting.status, waiting.count, waiting.oldest_at) == (Status.PENDING, 1, NOW)


def test_a_count_that_is_hours_behind_shows_what_it_has(team: Team, owner: User) -> None:
    make_at(NOW - timedelta(hours=5), team, owner)
    rolling.count_all(NOW - timedelta(hours=5))
    shown = overview_of(Asked(team.pk, Range.DAY, NOW, BERLIN))
    assert shown.ends.total == 1


def test_a_deleted_request_stays_in_the_figures(
    rows: list[FalRequest], team: Team, owner: User
) -> None:
    rolling.count_all(NOW)
    before = overview_of(Asked(team.pk, Range.MONTH, NOW, BERLIN))
    for row in rows:
        FalRequest.objects.filter(pk=row.pk, ended_at__isnull=False).update(due_at=None)
        lifecycle.delete_request(row.pk, person=owner, now=timezone.now())
    rolling.count_all(NOW)
    after = overview_of(Asked(team.pk, Range.MONTH, NOW, BERLIN))
    assert FalRequest.objects.count() < len(rows)
    assert (after.ends, after.endpoints, after.failures) == (
        before.ends,
        before.endpoints,
        before.failures,
    )
    assert [bar.ends for bar in after.bars] == [bar.ends for bar in before.bars]
