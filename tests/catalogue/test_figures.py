"""Count, success rate and times of an endpoint, from a bounded number of rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.catalogue import figures as module
from requests_app.catalogue.figures import Spread, figures, spread
from requests_app.models import FalRequest, Mode, Status, Team
from tests.builders import make_request
from tests.catalogue.test_seen import plan_of

NOW = timezone.now()


def made(
    team: Team, person: User, *, queued: float | None = 1, ran: float | None = 2, **columns: Any
) -> FalRequest:
    """A completed request with these seconds in queue and running."""
    row = make_request(
        team=team,
        person=person,
        **{k: columns.pop(k) for k in ("mode", "endpoint_id") if k in columns},
    )
    started = None if queued is None else NOW + timedelta(seconds=queued)
    ended = None if started is None or ran is None else started + timedelta(seconds=ran)
    values = {
        "status": Status.COMPLETED, "sent_at": NOW, "accepted_at": NOW, "started_at": started, "ended_at": ended,
    }  # fmt: skip
    FalRequest.objects.filter(pk=row.pk).update(**values | columns)
    return row


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([None], None),
        ([3.0], Spread(3, 3, 1)),
        ([4, 1, None, 3, 2], Spread(2.5, 4, 4)),
        (range(1, 11), Spread(5.5, 9, 10)),
        (range(1, 101), Spread(50.5, 90, 100)),
    ],
)
def test_the_spread_is_median_and_nearest_rank(values: Any, expected: Any) -> None:
    assert spread(list(values)) == expected


def test_rates_and_times_are_those_of_the_endpoint_and_the_team(
    team: Team, owner: User, stranger: User
) -> None:
    made(team, owner, queued=1, ran=10)
    made(team, owner, queued=3, ran=20)
    made(team, owner, status=Status.FAILED, ran=99)
    made(team, owner, status=Status.CANCELLED, ran=99)
    make_request(team=team, person=owner)
    made(team, owner, endpoint_id="acme/other", ran=1000)
    made(Team.objects.get(name="Other"), stranger, ran=1000)
    found = figures(team, "acme/img")
    assert (found.count, found.newest, found.completed, found.failed) == ("5", 5, 2, 1)
    assert found.success == "67 %"
    assert (found.queue, found.run) == (Spread(2, 3, 2), Spread(15, 20, 2))


def test_a_direct_call_has_no_queue_and_runs_from_its_start(team: Team, owner: User) -> None:
    row = made(team, owner, mode="run", started_at=None, ended_at=NOW + timedelta(seconds=7))
    found = figures(team, "acme/img")
    assert (found.queue, found.run) == (None, Spread(7, 7, 1)), row


def test_two_clocks_make_no_negative_times(team: Team, owner: User) -> None:
    made(team, owner, queued=-1, ran=-1)
    found = figures(team, "acme/img")
    assert found.queue == found.run == Spread(0, 0, 1)


def test_what_never_ended_has_neither_rate_nor_times(team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    found = figures(team, "acme/img")
    assert (found.count, found.success, found.queue, found.run) == ("1", "", None, None)


def test_a_long_history_is_counted_and_read_up_to_a_limit(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COUNTED", 3)
    monkeypatch.setattr(module, "NEWEST", 2)
    for ran in (100, 100, 1, 1, 1):
        made(team, owner, ran=ran)
    found = figures(team, "acme/img")
    assert (found.count, found.newest, found.run) == ("3+", 2, Spread(1, 1, 2))


def test_sessions_do_not_count_and_are_read_up_to_a_limit(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(team, owner)
    for _ in range(3):
        made(team, owner, mode=Mode.REALTIME)
    assert figures(team, "acme/img").total == 1
    monkeypatch.setattr(module, "READ", 3)
    assert figures(team, "acme/img").total == 0


def test_every_query_walks_the_index_and_stops(team: Team, owner: User) -> None:
    made(team, owner)
    with CaptureQueriesContext(connection) as asked:
        figures(team, "acme/img")
    queries = [one["sql"] for one in asked.captured_queries]
    assert len(queries) == 2
    for sql in queries:
        assert "LIMIT" in sql
        plan = plan_of(sql)
        # PostgreSQL takes any index of the team while there is one row.
        range_of_index = "list_by_endpoint (team_id=? AND endpoint_id=? AND id>?)"
        assert range_of_index in plan or connection.vendor == "postgresql"
        for reads_all in ("Seq Scan", "SCAN requests_app", "TEMP B-TREE", "Sort"):
            assert reads_all not in plan
