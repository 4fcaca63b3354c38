"""The list in other orders: every page after the other, whatever is searched, without a row twice or left out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import cycle

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.models import FalRequest, Status, Team
from requests_app.search import Matches, Scope, Sorted, parse_search, scope, sorting
from requests_app.search.index import write_entries
from requests_app.search.sorting import ORDERS
from tests.builders import make_request

TOOK = [3.0, 1.0, None, 3.0, 0.25, None, 90000.0, 1.0]  # seconds; two pairs are alike, two are live

COSTS = [
    None if text is None else Decimal(text)
    for text in ["0.1", None, "0.000000001", "123456.123456789", "0.1", "0", None, "0.3"]
]


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    """Oldest first."""
    made = []
    created = timezone.now() - timedelta(
        days=2
    )  # of all: SQLite reckons in days, to some microseconds
    for took, cost, name in zip(TOOK, COSTS, cycle(["b/two", "a/one", "c/three"]), strict=False):
        row = make_request(team=team, person=owner, endpoint_id=name, input={"prompt": "heron"})
        row.created_at = created
        row.cost = cost
        if took is not None:
            row.status, row.ended_at = (
                Status.COMPLETED,
                row.created_at + timedelta(seconds=took),
            )
        row.save()
        made.append(row)
    write_entries([row.pk for row in made])
    return made


def expected(rows: list[FalRequest], order: str) -> list[int]:
    """What Python makes of it."""
    ended = [row for row in rows if row.ended_at]
    live = [row.pk for row in rows if not row.ended_at]
    if order == "costliest":
        unpriced = [row.pk for row in rows if row.cost is None]
        priced = [row for row in rows if row.cost is not None]
        priced.sort(key=lambda row: (-(row.cost or 0), -row.pk))
        return [row.pk for row in priced] + unpriced[::-1]
    if order == "oldest":
        return [row.pk for row in rows]
    if order == "endpoint":
        return [row.pk for row in sorted(rows, key=lambda row: (row.endpoint_id, -row.pk))]
    sign = -1 if order == "longest" else 1
    ended.sort(key=lambda row: (sign * (row.duration or timedelta()), sign * row.pk))
    return [row.pk for row in ended] + live[::sign]


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", ["", "heron", "by:me"])
@pytest.mark.parametrize("few", [5000, 0], ids=["few rows", "many rows"])
def test_each_row_stands_once_in_its_place_on_the_way_down_and_up(
    team: Team,
    rows: list[FalRequest],
    order: str,
    text: str,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scope, "FEW", few)
    found = Sorted(Matches(Scope(team.pk, "olga", sees=True), parse_search(text)), ORDERS[order])
    wanted = expected(rows, order)
    assert found.newest(100) == wanted
    for number, key in enumerate(wanted):
        assert found.newest(2, below=key) == wanted[number + 1 : number + 3]
        assert found.oldest(100, above=key) == wanted[:number][::-1]


def test_of_more_matches_than_are_sorted_the_newest_are_and_it_is_told(
    team: Team, rows: list[FalRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "MOST_SORTED", 6)

    def found(text: str) -> Sorted:
        return Sorted(
            Matches(Scope(team.pk, "olga", sees=True), parse_search(text)), ORDERS["endpoint"]
        )

    assert found("heron").newest(100) == expected(rows[2:], "endpoint")
    assert found("heron").is_bounded
    assert not found("").is_bounded  # read from an index
    assert not found("mode:run").is_bounded


def test_another_teams_rows_are_not_among_them(rows: list[FalRequest]) -> None:
    other_team = Team.objects.create(name="Other")
    for order in ORDERS.values():
        assert (
            Sorted(
                Matches(Scope(other_team.pk, "olga", sees=True), parse_search("")), order
            ).newest(9)
            == []
        )


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize("order", ORDERS)
def test_without_a_search_no_page_of_it_sorts_the_history(
    team: Team, rows: list[FalRequest], order: str
) -> None:
    found = Sorted(Matches(Scope(team.pk, "olga", sees=True), parse_search("")), ORDERS[order])
    with CaptureQueriesContext(connection) as sent:
        found.newest(2)
        found.newest(2, below=rows[3].pk)
        found.oldest(2, above=rows[3].pk)
    with connection.cursor() as cursor:
        for query in sent.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = " ".join(str(step[-1]) for step in cursor.fetchall())
            assert "TEMP B-TREE" not in plan, (query["sql"], plan)
            assert "SCAN" not in plan, (query["sql"], plan)
