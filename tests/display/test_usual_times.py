"""What a run is expected to take: medians of the team's own runs, or nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from requests_app.display.usual_times import LOOK_BACK, expected, usual_times
from requests_app.models import FalRequest, Status, Team
from tests.builders import make_request


def run(row, seconds, *, started=None, status=Status.COMPLETED, **changes):
    """An earlier run like `row` that took so long."""
    made = make_request(
        team=changes.pop("team", row.team),
        person=row.person,
        **{"endpoint_id": row.endpoint_id, **changes},
    )
    now = timezone.now()
    FalRequest.objects.filter(pk=made.pk).update(
        status=status,
        created_at=now - timedelta(seconds=seconds),
        started_at=None if started is None else now - timedelta(seconds=started),
        ended_at=now,
    )


@pytest.mark.parametrize(
    ("lengths", "median"),
    [([4, 2], 3), ([1, 2, 30], 2), ([5] * 25, 5)],
    ids=["two", "an odd one out", "many"],
)
def test_it_is_the_median_of_the_completed_runs(row, lengths, median):
    for seconds in lengths:
        run(row, seconds)
    usual = usual_times(row)
    assert usual.whole == pytest.approx(median)
    assert usual.runs == min(len(lengths), 20)


@pytest.mark.parametrize(
    "other",
    [
        {"status": Status.FAILED},
        {"status": Status.CANCELLED},
        {"mode": "run"},
        {"endpoint_id": "acme/other"},
    ],
    ids=str,
)
def test_other_runs_do_not_count(row, other):
    run(row, 4)
    for _ in range(3):
        run(row, 9, **other)
    assert usual_times(row) is None


def test_another_team_s_runs_do_not_count(row):
    run(row, 4)
    run(row, 9, team=Team.objects.create(name="Others"))
    assert usual_times(row) is None


def test_only_the_newest_rows_are_looked_at(row):
    run(row, 4)
    run(row, 4)
    for _ in range(LOOK_BACK):
        make_request(team=row.team, person=row.person)
    assert usual_times(row) is None


def test_a_running_one_is_expected_by_the_time_after_the_start(row):
    for _ in range(2):
        run(row, 10, started=3)
    assert expected(row).seconds == pytest.approx(10)
    row.status, row.started_at = Status.IN_PROGRESS, timezone.now()
    assert expected(row).seconds == pytest.approx(3)
    assert expected(row).since == row.started_at


@pytest.mark.parametrize(
    "status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.UNCERTAIN]
)
def test_nothing_is_expected_of_what_has_ended_or_is_unknown(row, status):
    run(row, 4)
    run(row, 4)
    row.status = status
    assert expected(row) is None
