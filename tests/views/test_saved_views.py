"""Views of the list: who sees, changes and deletes which, and what their address leads to."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.models import FalRequest, ListPreference, Membership, Role, SavedView, Team
from requests_app.views import saved_views
from tests.browsers import Browser
from tests.builders import make_person, make_request


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    """Without one the list is for first use."""
    return make_request(team=team, person=owner)


def view_of(team: Team, owner: User, name: str = "Mine alone", **more: Any) -> SavedView:
    return SavedView.objects.create(
        team=team, owner=owner, name=name, query="status:failed", **more
    )


def as_role(team: Team, name: str, role: Role) -> Client:
    client = Browser()
    client.force_login(make_person(name, team=team, role=role))
    return client


def save(client: Client, **more: object) -> Any:
    return client.post("/requests/views/", {"name": "Slow ones", **more}, follow=True)


def test_the_present_search_and_order_are_kept_under_a_name(
    as_owner: Client, team: Team, owner: User, row: FalRequest
) -> None:
    page = save(as_owner, q="duration:>1m   by:me", sort="longest", is_shared="1")
    view = SavedView.objects.get()
    assert (view.name, view.query, view.sort) == ("Slow ones", "duration:>1m by:me", "longest")
    assert (view.team, view.owner, view.is_shared) == (team, owner, True)
    [(address, _)] = page.redirect_chain
    assert f"view={view.public_id}" in address
    assert "sort=longest" in address
    assert "Save as shown" not in page.text
    other = as_owner.get(f"/requests/?q=fox&view={view.public_id}").text
    assert "Save as shown" in other
    assert f'value="{view.public_id}"' in other  # a search from the box stays in the view


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"name": " "}, "Give the view a name."),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"q": "colour:red"}, "There is no filter colour:"),
        ({"sort": "odd"}, "odd is not one of the available choices"),
        ({"name": "Taken"}, "You have a view of this name already."),
    ],
)
def test_what_cannot_be_kept_is_said_and_the_name_stays(
    as_owner: Client, team: Team, owner: User, row: FalRequest, sent: dict[str, str], sentence: str
) -> None:
    view_of(team, owner, "Taken")
    page = save(as_owner, **{"q": "fox", **sent}).text
    assert sentence in unescape(page)
    assert SavedView.objects.count() == 1
    typed = sent.get("name", "Slow ones").strip()[:60]
    assert not typed or re.search(rf'id="view-name-new"[^>]* value="{typed}"', page)


def test_a_user_keeps_a_bounded_number(
    as_owner: Client, team: Team, owner: User, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    save(as_owner)
    assert "delete one first" in save(as_owner, name="Another").text
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("name", saved_views.SYSTEM)
def test_the_views_of_every_team_lead_to_a_search_that_runs(
    as_owner: Client, row: FalRequest, name: str
) -> None:
    page = as_owner.get(f"/requests/views/{name}/", follow=True)
    assert page.status_code == 200
    assert "search-problems" not in page.text
    assert re.search(r'aria-current="true">\s*<span class="clip">', page.text)
    if name == "failed-today":
        assert f"after:{timezone.now().date().isoformat()}" in page.text


def test_the_view_opened_last_is_one_click_away(
    as_owner: Client, team: Team, row: FalRequest
) -> None:
    assert "view-last" not in as_owner.get("/requests/").text
    opened = as_owner.get("/requests/views/slow/", follow=True).text
    assert "view-last" not in opened  # one is in it
    page = as_owner.get("/requests/").text
    assert re.search(r'view-last"[^>]*href="/requests/views/slow/"', page)
    ListPreference.objects.update(last_view=str(uuid4()))  # deleted since
    assert "view-last" not in as_owner.get("/requests/").text


def test_a_private_view_is_its_owners_alone(
    as_owner: Client, team: Team, teammate: User, row: FalRequest
) -> None:
    private = view_of(team, teammate)
    shared = view_of(team, teammate, "For all", is_shared=True)
    page = as_owner.get("/requests/").text
    assert "For all" in page
    assert "by tom" in page
    assert "Mine alone" not in page
    for path in ("", "change/", "delete/"):
        method = as_owner.post if path else as_owner.get
        reply = method(f"/requests/views/{private.public_id}/{path}", {"name": "x"})
        assert reply.status_code == 404
    assert as_owner.get(f"/requests/views/{shared.public_id}/").status_code == 302


def test_another_teams_views_do_not_exist(as_stranger: Client, team: Team, owner: User) -> None:
    for view in (view_of(team, owner), view_of(team, owner, "For all", is_shared=True)):
        for path in ("", "change/", "delete/"):
            method = as_stranger.post if path else as_stranger.get
            reply = method(f"/requests/views/{view.public_id}/{path}", {"name": "x"})
            assert reply.status_code == 404
        assert view.name not in as_stranger.get(f"/requests/?view={view.public_id}").text
    for unknown in (uuid4(), "nothing", "%00"):
        assert as_stranger.get(f"/requests/views/{unknown}/").status_code == 404
    assert set(SavedView.objects.values_list("name", flat=True)) == {"Mine alone", "For all"}


@pytest.mark.parametrize(
    ("role", "own", "status"),
    [
        (Role.VIEWER, True, 302), (Role.VIEWER, False, 403), (Role.MEMBER, False, 403), (Role.ADMIN, False, 302),
    ],
)  # fmt: skip
def test_a_shared_view_is_changed_and_deleted_by_its_owner_and_by_those_who_manage(
    team: Team, owner: User, row: FalRequest, role: Role, own: bool, status: int
) -> None:
    client = as_role(team, "rita", role)
    rita = Membership.objects.get(user__username="rita").user
    view = view_of(team, rita if own else owner, is_shared=True)
    address = f"/requests/views/{view.public_id}/"
    changed = client.post(f"{address}change/", {"name": "Renamed", "q": "fox", "is_shared": "1"})
    assert changed.status_code == status
    view.refresh_from_db()
    assert (view.name == "Renamed") is (status == 302)
    assert view.owner == (rita if own else owner)
    page = client.get(f"/requests/?view={view.public_id}").text
    assert ("Delete view" in page) is (status == 302)
    assert client.post(f"{address}delete/").status_code == status
    assert SavedView.objects.exists() is (status != 302)


def test_a_viewer_keeps_views_but_shares_none(team: Team, row: FalRequest) -> None:
    client = as_role(team, "vera", Role.VIEWER)
    assert "Shared with the team" not in client.get("/requests/").text
    assert client.post("/requests/views/", {"name": "a", "is_shared": "1"}).status_code == 403
    assert save(client).status_code == 200
    assert not SavedView.objects.get().is_shared


def classes(page: str) -> set[str]:
    found = re.search(r'<table class="requests ([^"]*)"', page)
    assert found
    return set(found[1].split())


def test_a_view_shows_its_own_table_and_leaves_the_users_as_it_is(
    as_owner: Client, team: Team, owner: User, row: FalRequest
) -> None:
    as_owner.post("/requests/table/", {"columns": ["seed"]})
    page = save(as_owner, q="by:me", table="key.cost.odd.compact").text
    view = SavedView.objects.get()
    assert (view.columns, view.density) == (["key", "cost"], "compact")
    assert classes(page) == {"with-key", "with-cost", "compact"}
    assert "Unsaved" not in page
    assert classes(as_owner.get("/requests/").text) == {"with-seed"}
    changed = as_owner.post(
        "/requests/table/",
        {"of_view": "1", "view": view.public_id, "q": "by:me", "columns": ["id"]},
    )
    assert "table=id" in changed["Location"]
    page = as_owner.get(changed["Location"]).text
    assert classes(page) == {"with-id"}
    assert "Unsaved" in page
    assert 'name="table" value="id"' in page
    assert classes(as_owner.get("/requests/").text) == {"with-seed"}
    as_owner.post(
        f"/requests/views/{view.public_id}/change/",
        {"name": "Slow ones", "q": "by:me", "table": "plain", "view": view.public_id},
    )
    page = as_owner.get(f"/requests/views/{view.public_id}/", follow=True).text
    assert (classes(page), "Unsaved" in page) == (set(), False)


def test_a_view_keeps_the_order_of_its_columns(
    as_owner: Client, team: Team, owner: User, row: FalRequest
) -> None:
    as_owner.post("/requests/table/", {"columns": ["key", "cost"]})
    page = save(as_owner, q="by:me", table="cost.odd.key.cost").text
    view = SavedView.objects.get()
    assert view.columns == ["cost", "key"]
    assert re.findall(r'<th scope="col" class="row-(\w+) row-more"', page)[:2] == ["cost", "key"]
    assert "Unsaved" not in page
    moved = {"of_view": "1", "view": view.public_id, "q": "by:me", "columns": ["cost", "key"]}
    reply = as_owner.post("/requests/table/", {**moved, "move": "key.up"})
    assert "table=key.cost" in reply["Location"]
    assert reply["Location"].endswith("#column-key-up")
    assert "Unsaved" in as_owner.get(reply["Location"]).text
    assert ListPreference.objects.get().columns == ["key", "cost"]


def test_a_view_of_before_says_nothing_of_the_table(
    as_owner: Client, team: Team, owner: User, row: FalRequest
) -> None:
    view = view_of(team, owner)
    as_owner.post("/requests/table/", {"columns": ["seed"]})
    page = as_owner.get(f"/requests/views/{view.public_id}/", follow=True).text
    assert classes(page) == {"with-seed"}
    assert "Unsaved" not in page
