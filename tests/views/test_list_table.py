"""A user's columns, their order and density: kept for each team, of what is offered alone."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.display.columns import COLUMNS
from requests_app.keys import keeping
from requests_app.models import Delivery, FalRequest, ListPreference, Team
from requests_app.views.list_table import TableLook
from tests.builders import make_person, make_request


def classes(client: Client) -> set[str]:
    found = re.search(r'<table class="requests ([^"]*)"', client.get("/requests/").text)
    assert found
    return set(found[1].split())


def test_the_choice_is_kept_for_the_user_and_the_team(
    as_owner: Client, team: Team, owner: User, teammate: User
) -> None:
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(fal_request_id="req-77", billable_units="2.5")
    assert classes(as_owner) == set()
    sent = {
        "columns": ["units", "request", "odd"],
        "density": "compact",
        "q": "by:me",
        "sort": "oldest",
    }
    reply = as_owner.post("/requests/table/", sent)
    assert reply["Location"] == "/requests/?q=by%3Ame&sort=oldest"
    assert classes(as_owner) == {"with-request", "with-units", "compact"}
    page = as_owner.get("/requests/").text
    assert 'title="req-77">req-77</td>' in page
    assert '<td class="row-units row-more">2.5</td>' in page
    other = Client()
    other.force_login(teammate)
    assert classes(other) == set()
    as_owner.post("/requests/table/", {"density": "huge"})
    assert classes(as_owner) == set()
    assert ListPreference.objects.get().columns == []


def optional(page: str, cell: str) -> list[str]:
    """The optional columns of the heads or cells, as they stand in the page."""
    return re.findall(rf'<{cell}\b[^>]*class="row-(\w+) row-more"', page)


def test_the_columns_stand_in_the_order_in_which_they_are_sent(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    rest = [name for name in COLUMNS if name not in ("seed", "id")]
    for sent, kept in (
        (["seed", "id"], ["seed", "id"]),
        (["seed", "odd", "", "id", "seed", "compact"], ["seed", "id"]),
    ):
        as_owner.post("/requests/table/", {"columns": sent})
        assert ListPreference.objects.get().columns == kept
        page = as_owner.get("/requests/").text
        assert optional(page, "th") == optional(page, "td") == [*kept, *rest]
        offered = re.findall(r'name="columns" value="(\w+)"', page)
        assert offered == [*kept, *rest]
    # A row that is fetched alone, as a pushed one, has the usual order.
    row = FalRequest.objects.get()
    fetched = as_owner.get("/requests/rows/", {"ids": str(row.public_id)}).text
    assert optional(fetched, "td") == list(COLUMNS)


def test_a_preference_of_before_keeps_its_columns_and_a_column_that_is_gone_is_left_out(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    ListPreference.objects.create(user=owner, team=team, columns=["id", "gone", "cost"])
    page = as_owner.get("/requests/").text
    assert optional(page, "th")[:2] == ["id", "cost"]
    assert classes(as_owner) == {"with-id", "with-cost"}


def test_a_button_moves_a_column_keeps_it_and_leads_back_to_itself(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    sent = {"columns": ["id", "seed", "cost"], "move": "cost.up", "density": "compact"}
    reply = as_owner.post("/requests/table/", sent)
    assert reply["Location"] == "/requests/#column-cost-up"
    assert 'id="column-cost-up"' in as_owner.get("/requests/").text
    kept = ListPreference.objects.get()
    assert (kept.columns, kept.density) == (["id", "cost", "seed"], "compact")
    for odd in ("odd.up", "cost.sideways", "cost", ".", "\r\nX: 1.up"):
        reply = as_owner.post("/requests/table/", {**sent, "move": odd})
        assert (reply.status_code, reply["Location"]) == (302, "/requests/"), odd
        assert ListPreference.objects.get().columns == ["id", "seed", "cost"], odd


def test_a_move_swaps_neighbours_and_stops_at_the_ends() -> None:
    look = TableLook(("id", "seed", "cost"))
    for move, columns in (
        ("seed.up", "seed.id.cost"),
        ("seed.down", "id.cost.seed"),
        ("id.up", "id.seed.cost"),
        ("cost.down", "id.seed.cost"),
        ("units.up", "id.seed.cost"),  # it is not shown
        ("", "id.seed.cost"),
    ):
        assert str(look.moved(move)) == columns, move


def test_each_column_shows_what_is_known_with_a_constant_number_of_queries(
    as_owner: Client, team: Team, owner: User
) -> None:
    key = keeping.add(team, name="Spending", pattern="", secret="a:b", by=owner, now=timezone.now())
    rows = [make_request(team=team, person=owner, input={"seed": 41 + n}) for n in range(3)]
    FalRequest.objects.filter(team=team).update(
        fal_key=key, cost="0.05", cost_currency="USD", output_size=2048
    )
    for verdict in ("bad_signature", "accepted"):
        Delivery.objects.create(
            request=rows[0], received_at=timezone.now(), verdict=verdict, body=b"", body_size=0
        )
    with CaptureQueriesContext(connection) as few:
        page = as_owner.get("/requests/rows/", {"ids": str(rows[0].public_id)}).text
    for shown in ("Spending", ">41<", ">page<", ">accepted<", "2.0\xa0KB", "$0.05"):
        assert shown in page, shown
    ids = ",".join(str(row.public_id) for row in rows)
    with CaptureQueriesContext(connection) as many:
        as_owner.get("/requests/rows/", {"ids": ids})
    assert len(many) == len(few)


def test_a_view_and_the_table_are_kept_side_by_side(
    as_owner: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner)
    as_owner.post("/requests/table/", {"columns": ["id"]})
    as_owner.get("/requests/views/mine/")
    as_owner.post("/requests/table/", {"columns": ["kind"]})
    kept = ListPreference.objects.get()
    assert (kept.last_view, kept.columns) == ("mine", ["kind"])


def test_a_user_of_no_team_keeps_no_choice_for_one(team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    client = Client()
    client.force_login(make_person("nora"))
    reply = client.post("/requests/table/", {"columns": ["id"], "made_for": str(team.pk)})
    assert reply.status_code in (403, 409)
    assert not ListPreference.objects.exists()
