"""What a page of the list costs does not grow: queries for any number of teams, views, people, filters and tags."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.template import Context
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from requests_app.display.columns import in_order
from requests_app.listed import listed
from requests_app.models import (
    FalRequest,
    Membership,
    Role,
    SavedView,
    Status,
    Tag,
    Tagging,
    Team,
)
from requests_app.templatetags.rows import table_rows
from requests_app.views.row_html import RowVariant
from tests.builders import make_person, make_request

MOST_QUERIES = 14 + 2  # of the page of a list, and of the client that is logged in
ROW_KINDS: list[dict[str, Any]] = [
    {},
    {"queue_position": 3, "tries": 2},
    {"cancel_asked_at": timezone.now()},
    {"error": "No", "error_type": "given_up", "error_code": 422},
    {"origin": "imported", "mode": "realtime", "ended_at": timezone.now(), "cost_problem": "unit"},
    {"billable_units": "2", "cost": 1, "cost_currency": "USD", "started_at": timezone.now()},
    {"payload_removed_at": timezone.now(), "output_size": 99, "seed": "7"},
    {"thumbnail_url": "https://v3.fal.media/files/a.png"},
]
SEARCHES = ("", "&q=status:active", "&q=endpoint:acme/*+sunset", "&q=by:me&sort=longest")


def surround(number: int, *, team: Team, owner: User) -> None:
    """Add a row with a tag, a team of the user, a member of the team and a view."""
    tagged = make_request(team=team, person=owner)
    other = Team.objects.create(name=f"team {number}")
    Membership.objects.create(team=other, user=owner, role=Role.OWNER)
    Membership.objects.create(team=team, user=make_person(f"p{number}"), role=Role.MEMBER)
    SavedView.objects.create(
        team=team, owner=owner, name=f"view {number}", query="by:me", saved_at=timezone.now()
    )
    tag = Tag.objects.create(team=team, name=f"tag {number}", key=f"tag {number}")
    Tagging.objects.create(team=team, tag=tag, request=tagged)


def number_of_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as sent:
        assert client.get(url).status_code == 200
    return len(sent)


def test_a_page_asks_no_more_for_more_of_everything(
    as_owner: Client, team: Team, owner: User
) -> None:
    surround(0, team=team, owner=owner)
    view = SavedView.objects.get()
    urls = [f"/requests/?team={team.pk}&view={view.public_id}{search}" for search in SEARCHES]
    few = [number_of_queries(as_owner, url) for url in urls]
    for number in range(1, 5):
        surround(number, team=team, owner=owner)
    assert "view 4" in as_owner.get(urls[0]).text
    assert [number_of_queries(as_owner, url) for url in urls] == few


def test_the_chips_are_one_query(as_owner: Client, team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    for search in ("", "?q=sunset", "?q=by:nobody", "?q=status:failed+endpoint:acme/img"):
        with CaptureQueriesContext(connection) as sent:
            as_owner.get(f"/requests/counts/{search}")
        counting = [one["sql"] for one in sent if "COUNT(" in one["sql"]]
        assert len(counting) == 1
        assert counting[0].count("COUNT(") == 5


@pytest.mark.parametrize("sees", [True, False])
def test_a_row_is_drawn_from_what_was_loaded_for_it(
    team: Team, owner: User, sees: bool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Whatever its kind: a column that is read and was not loaded is one more query for each row."""
    for status in Status:
        for columns in ROW_KINDS:
            made = make_request(team=team, person=owner)
            FalRequest.objects.filter(pk=made.pk).update(status=status, **columns)
    keys = list(FalRequest.objects.values_list("pk", flat=True))
    rows = listed(keys, team=team.pk, sees=sees)
    member = RowVariant(may_submit=True, query="", sees=sees)
    frame = {"membership": member, "query": ""}
    with django_assert_num_queries(0):
        html = table_rows(Context({"frame": frame, "columns": in_order(), "rows": rows}))
    assert html.count("<tr ") == len(rows)
    assert len(rows) == len(Status) * len(ROW_KINDS)


def test_the_page_asks_the_same_number_of_questions_for_any_number_of_rows(
    as_owner: Client,
    team: Team,
    owner: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_request(team=team, person=owner)
    as_owner.get("/requests/")
    with CaptureQueriesContext(connection) as few:
        as_owner.get("/requests/")
    for _ in range(20):
        make_request(team=team, person=owner)
    with django_assert_num_queries(len(few)):
        assert as_owner.get("/requests/").text.count('<tr id="request-') == 21
    assert len(few) <= MOST_QUERIES
    for captured in few:
        assert '"requests_app_falrequest"."output"' not in captured["sql"]
