"""The endpoints page: own ones, stars, fal's models; for members, viewers and strangers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from requests_app.catalogue import fal_models
from requests_app.models import Team, TeamEndpoint
from tests.builders import make_request
from tests.views.request_page import HOSTILE

PAGE = reverse("requests:endpoints")
MODELS = reverse("requests:models")
STAR = reverse("requests:star")
ADD = reverse("requests:add_endpoint")
REMOVE = reverse("requests:remove_endpoint")
HX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """And a list that comes late on a starved machine comes all the same."""
    monkeypatch.setattr(fal_models, "TIMEOUT_S", 30)
    monkeypatch.setattr(fal_models, "DEADLINE_S", 30)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def unreachable(settings: Any) -> None:
    settings.FAL_API_URL = "http://127.0.0.1:1"


def text(reply: Any) -> str:
    return html.unescape(reply.content.decode())


def own_part(reply: Any) -> str:
    return text(reply).partition('id="own-title"')[2].partition('id="fal-title"')[0]


def starred(team: Team) -> list[str]:
    kept = TeamEndpoint.objects.filter(team=team, is_favourite=True)
    return list(kept.values_list("endpoint_id", flat=True))


# --- the page -----------------------------------------------------------------------------------


def test_own_endpoints_lead_to_their_page_and_to_a_new_request(as_owner, team, owner):
    make_request(team=team, person=owner, endpoint_id="acme/used/fast")
    page = own_part(as_owner.get(PAGE))
    assert 'href="/endpoints/acme/used/fast/"' in page
    assert 'href="/requests/new/?&endpoint=acme%2Fused%2Ffast"' in page


def test_the_page_is_in_the_main_navigation(as_owner):
    page = text(as_owner.get(PAGE))
    assert re.search(
        r'<a class="nav-link" data-go="e" href="/endpoints/"\s+aria-current="page">', page
    )


def test_the_page_waits_for_no_network_and_a_browser_without_scripts_has_a_link(
    as_owner, unreachable
):
    page = text(as_owner.get(PAGE, {"q": "flux"}))
    assert 'hx-get="/endpoints/models/?q=flux"' in page
    assert '<noscript><a href="/endpoints/?q=flux&fal=1">' in page


def test_a_search_narrows_own_ones_and_says_when_none_match(as_owner, team, owner):
    for name in ("acme/one", "acme/two"):
        make_request(team=team, person=owner, endpoint_id=name)
    page = own_part(as_owner.get(PAGE, {"q": "two"}))
    assert "acme/two" in page
    assert "acme/one" not in page
    assert "No endpoint of yours matches" in own_part(as_owner.get(PAGE, {"q": "three"}))


def test_a_first_visit_says_what_to_do(as_owner, as_viewer):
    assert "add the id of your own app" in own_part(as_owner.get(PAGE))
    assert "add the id" not in own_part(as_viewer.get(PAGE))


def test_a_long_list_has_pages(as_owner, team, owner, monkeypatch):
    monkeypatch.setattr("requests_app.views.endpoints.PAGE_SIZE", 2)
    for number in range(5):
        make_request(team=team, person=owner, endpoint_id=f"acme/x{number}")
    found = [
        re.findall(r'id="star-own-(acme/x\d)"', text(as_owner.get(PAGE, {"page": n})))
        for n in (1, 2, 3)
    ]
    assert found == [["acme/x4", "acme/x3"], ["acme/x2", "acme/x1"], ["acme/x0"]]


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999", "9" * 50, "\u0662", HOSTILE])
def test_any_page_number_shows_a_page(as_owner, team, owner, page):
    make_request(team=team, person=owner)
    assert "acme/img" in own_part(as_owner.get(PAGE, {"page": page}))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["q", "category", "favourite", "cursor", "fal"])
@pytest.mark.parametrize("value", [HOSTILE, "\0", "x" * 5000, "%", "‮"])
def test_any_query_is_answered_and_stays_text(as_owner, unreachable, name, value):
    for path in (PAGE, MODELS):
        reply = as_owner.get(path, {name: value})
        assert reply.status_code == 200
        assert HOSTILE not in reply.content.decode()


# --- fal's models -------------------------------------------------------------------------------


def test_models_come_from_fals_list_page_by_page(as_owner, at_sandbox):
    first = text(as_owner.get(MODELS, {"q": "osprey", "category": "text-to-video"}))
    assert first.count('<li class="endpoint-row">') == 4
    everything = text(as_owner.get(MODELS))
    more = re.search(r'hx-get="(/endpoints/models/\?cursor=[^"]+)"', everything)
    assert more
    second = text(as_owner.get(more[1]))
    ids = [set(re.findall(r'id="star-fal-([^"]+)"', page)) for page in (everything, second)]
    assert [len(one) for one in ids] == [24, 24]
    assert not ids[0] & ids[1]


def test_without_scripts_the_page_has_the_models_itself(as_owner, at_sandbox):
    page = text(as_owner.get(PAGE, {"q": "osprey", "fal": "1"}))
    assert 'id="star-fal-' in page


def test_no_key_is_needed_for_them(as_owner, at_sandbox, settings):
    settings.FAL_KEY = ""
    assert 'id="star-fal-' in text(as_owner.get(MODELS))


def test_an_unreachable_fal_is_a_sentence_beside_the_own_ones(as_owner, team, owner, unreachable):
    make_request(team=team, person=owner, endpoint_id="acme/mine")
    page = as_owner.get(PAGE, {"fal": "1"})
    assert "acme/mine" in own_part(page)
    assert "fal's list of models could not be fetched: ConnectError." in text(page)
    assert "Try again" in text(page)


def test_no_match_is_told(as_owner, at_sandbox):
    assert "No model of fal matches" in text(as_owner.get(MODELS, {"q": "no such thing at all"}))


# --- stars --------------------------------------------------------------------------------------


def test_a_star_is_the_teams_and_goes_again(as_owner, team):
    reply = as_owner.post(
        STAR, {"endpoint_id": "acme/one", "favourite": "1", "next": "/endpoints/?q=x"}
    )
    assert (reply.status_code, reply["Location"]) == (302, "/endpoints/?q=x")
    assert starred(team) == ["acme/one"]
    as_owner.post(STAR, {"endpoint_id": "acme/one", "favourite": "0"})
    assert starred(team) == []


def test_with_scripts_the_star_alone_comes_back(as_owner, team):
    sent = {"endpoint_id": "acme/one", "favourite": "1", "place": "fal"}
    page = text(as_owner.post(STAR, sent, headers=HX))
    assert 'id="star-fal-acme/one"' in page
    assert 'aria-pressed="true"' in page
    assert "<h1" not in page


@pytest.mark.parametrize("place", [HOSTILE, "", "x" * 999])
def test_the_place_of_a_star_is_one_of_ours(as_owner, place):
    sent = {"endpoint_id": "acme/one", "favourite": "1", "place": place}
    assert 'id="star-own-acme/one"' in text(as_owner.post(STAR, sent, headers=HX))


@pytest.mark.parametrize(
    "leads", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "x"]
)
def test_a_star_leads_to_no_other_site(as_owner, leads):
    reply = as_owner.post(STAR, {"endpoint_id": "acme/one", "favourite": "1", "next": leads})
    assert reply["Location"] == PAGE


def test_a_star_set_twice_is_one_star(as_owner, team):
    for _ in range(2):
        as_owner.post(STAR, {"endpoint_id": "acme/one", "favourite": "1"})
    assert starred(team) == ["acme/one"]


# --- added by hand --------------------------------------------------------------------------------


def test_an_own_app_is_added_by_its_id_and_taken_off_again(as_owner, team):
    reply = as_owner.post(ADD, {"endpoint_id": " acme/mine "}, follow=True)
    assert "Added acme/mine." in text(reply)
    assert "acme/mine" in own_part(reply)
    assert "Removed acme/mine." in text(
        as_owner.post(REMOVE, {"endpoint_id": "acme/mine"}, follow=True)
    )
    assert not TeamEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Give the endpoint id"),
        ("acme", "names an owner and an app"),
        ("https://fal.run/acme/x", "not a web address"),
        ("acme/x/requests/1", "no endpoint id"),
        ("acme/" + "x" * 400, "at most 300"),
        ("acme/\u0430pp", "CYRILLIC"),
        ("acme/x\0", "Null characters"),
        (HOSTILE, "endpoint id looks like"),
    ],
)
def test_what_is_no_id_is_refused_with_a_sentence_and_stays_typed(as_owner, typed, sentence):
    reply = as_owner.post(ADD, {"endpoint_id": typed})
    assert reply.status_code == 422
    assert sentence in text(reply)
    assert HOSTILE not in reply.content.decode()
    assert not TeamEndpoint.objects.exists()
    if typed in ("acme", "acme/x/requests/1"):
        assert f'value="{typed}"' in text(reply)


def test_a_refused_star_of_a_script_is_a_sentence(as_owner):
    reply = as_owner.post(STAR, {"endpoint_id": "acme", "favourite": "1"}, headers=HX)
    assert reply.status_code == 400
    assert "names an owner" in text(reply)


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STAR, ADD, REMOVE])
def test_a_viewer_changes_nothing(as_viewer, path):
    reply = as_viewer.post(path, {"endpoint_id": "acme/one", "favourite": "1"})
    assert reply.status_code == 403
    assert not TeamEndpoint.objects.exists()


def test_a_viewer_sees_favourites_and_no_buttons(as_viewer, team):
    TeamEndpoint.objects.create(team=team, endpoint_id="acme/one", is_favourite=True, is_added=True)
    page = text(as_viewer.get(PAGE))
    assert 'aria-label="Favourite"' in page
    for action in (STAR, ADD, REMOVE):
        assert f'action="{action}"' not in page
    assert "/requests/new/" not in page


@pytest.mark.parametrize("path", [STAR, ADD, REMOVE])
def test_they_are_changed_by_post_alone(as_owner, path):
    assert as_owner.get(path).status_code == 405


def test_other_teams_stars_and_added_ones_are_never_seen(as_stranger, team, owner):
    make_request(team=team, person=owner, endpoint_id="acme/used")
    TeamEndpoint.objects.create(
        team=team, endpoint_id="acme/kept", is_favourite=True, is_added=True
    )
    page = text(as_stranger.get(PAGE))
    assert "acme/used" not in page
    assert "acme/kept" not in page
    as_stranger.post(REMOVE, {"endpoint_id": "acme/kept"})
    as_stranger.post(STAR, {"endpoint_id": "acme/kept", "favourite": "0"})
    assert starred(team) == ["acme/kept"]
    assert TeamEndpoint.objects.get(team=team).is_added


def test_the_models_show_the_stars_of_the_own_team_alone(as_owner, as_stranger, team, at_sandbox):
    TeamEndpoint.objects.create(team=team, endpoint_id="sandbox/image", is_favourite=True)
    pressed = 'id="star-fal-sandbox/image" class="button button-quiet button-icon button-small" aria-pressed="true"'
    pages = [
        " ".join(text(one.get(MODELS, {"q": "sandbox/image"})).split())
        for one in (as_owner, as_stranger)
    ]
    assert [pressed in page for page in pages] == [True, False]


def test_without_a_log_in_there_is_no_page(client: Client, db: None) -> None:
    for path in (PAGE, MODELS):
        assert client.get(path).status_code == 302
