"""A user's columns and density: kept for each team, of what is offered alone."""

from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import FalRequest, ListPreference, Team
from requests_app.views.list_table import COLUMNS
from tests.builders import make_person, make_request
from tests.source import text_of


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
    assert '<td class="row-units">2.5</td>' in page
    other = Client()
    other.force_login(teammate)
    assert classes(other) == set()
    as_owner.post("/requests/table/", {"density": "huge"})
    assert classes(as_owner) == set()
    assert ListPreference.objects.get().columns == []


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


def test_each_optional_column_has_cells_and_a_style_that_hides_it() -> None:
    for name in COLUMNS:
        assert f'class="row-{name}"' in text_of("templates/list/_row.html")
        assert f".requests:not(.with-{name}) .row-{name}" in text_of("static/css/list/row.css")
