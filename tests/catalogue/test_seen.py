"""Which endpoints a team has used; the query reads an index entry or two for each."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from requests_app.catalogue.seen import seen_endpoints
from requests_app.models import FalRequest, Team
from tests.builders import make_request


def test_each_endpoint_comes_with_its_newest_request(
    team: Team, owner: User, stranger: User
) -> None:
    rows = [
        make_request(team=team, person=owner, endpoint_id=name)
        for name in ("b/one", "a/two", "b/one", "a/two/x")
    ]
    make_request(team=Team.objects.get(name="Other"), person=stranger, endpoint_id="c/three")
    assert seen_endpoints(team) == {"a/two": rows[1].pk, "a/two/x": rows[3].pk, "b/one": rows[2].pk}


def test_a_team_without_requests_has_none(team: Team) -> None:
    assert seen_endpoints(team) == {}


def test_the_plan_searches_the_index_and_scans_no_table(team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        seen_endpoints(team)
    plan = plan_of(asked.captured_queries[-1]["sql"])
    assert "list_by_endpoint" in plan
    assert "SCAN requests_app" not in plan


def plan_of(sql: str) -> str:
    """SQLite's words; PostgreSQL's with sequential scans switched off, for its tables are tiny here."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            return "\n".join(str(row[0]) for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[3]) for row in cursor.fetchall())


def test_removed_requests_leave_no_trace(team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    FalRequest.objects.all().delete()
    assert seen_endpoints(team) == {}
