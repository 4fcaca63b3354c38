"""Tags and stars on the pages: who may, what is shown, what was typed stays."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.consumers.live import RowVariant
from requests_app.display.marks import own_names
from requests_app.models import FalRequest, Membership, Star, Team
from requests_app.views.row_html import pushed_rows
from tests.builders import make_request
from tests.views.request_page import HOSTILE

HX = {"HX-Request": "true"}


def at(name, row):
    return reverse(f"requests:{name}", args=[row.public_id])


def tag(row, person, *names):
    lifecycle.add_tags(row.pk, names, person=person, now=timezone.now())


def test_tags_are_added_and_taken_off_from_the_requests_page(as_owner, row):
    page = as_owner.post(
        at("request_tags", row), {"add": "Draft, hero", "place": "page"}, follow=True
    )
    assert page.redirect_chain[-1][0] == at("detail", row)
    assert 'href="/requests/?q=tag%3Adraft"' in page.text
    as_owner.post(at("request_tags", row), {"remove": "draft", "place": "page"})
    assert own_names(row) == ["hero"]


def test_the_page_shows_them_to_who_is_in_several_teams_and_has_chosen_none(as_owner, owner, row):
    tag(row, owner, "draft")
    Membership.objects.create(team=Team.objects.create(name="Beta"), user=owner)
    page = as_owner.get(at("detail", row))
    assert page.status_code == 200
    assert 'href="/requests/?q=tag%3Adraft"' in page.text


def test_the_lists_dialog_gets_the_editor_anew_and_the_row_is_fetched(as_owner, row):
    assert "Tags of" in as_owner.get(at("request_tags", row), headers=HX).text
    reply = as_owner.post(at("request_tags", row), {"add": "draft"}, headers=HX)
    assert "<html" not in reply.text and "draft" in reply.text
    assert json.loads(reply["HX-Trigger"]) == {"request:acted": {"id": str(row.public_id)}}
    assert "<html" in as_owner.get(at("request_tags", row)).text  # without JavaScript


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["", " , ", "x" * 41, "a*", *HOSTILE])
def test_what_is_no_tag_is_said_and_stays_in_the_field(as_owner, row, typed):
    reply = as_owner.post(at("request_tags", row), {"add": typed})
    assert own_names(row) == [] or typed in HOSTILE
    if not own_names(row):
        assert reply.status_code == 422 and 'role="alert"' in reply.text
    assert "<script>alert" not in reply.text and "<img src=x" not in reply.text


def test_on_the_requests_page_a_toast_says_what_is_no_tag(as_owner, row):
    told = as_owner.post(at("request_tags", row), {"add": "", "place": "page"}, headers=HX)
    assert json.loads(told["HX-Trigger"])["toast"]["error"] is True


def test_a_viewer_looks_and_stars_a_stranger_finds_nothing(
    as_viewer, as_stranger, row, owner, viewer
):
    tag(row, owner, "draft")
    shown = as_viewer.get(at("detail", row)).text
    assert "draft" in shown and "tag-add" not in shown and "tag-off" not in shown
    assert "tag-add" not in as_viewer.get(at("request_tags", row)).text
    assert as_viewer.post(at("request_tags", row), {"add": "x"}).status_code == 403
    assert as_viewer.post(at("star_request", row), {"on": "1"}).status_code == 302
    for name in ("request_tags", "star_request"):
        assert as_stranger.post(at(name, row), {"add": "x", "on": "1"}).status_code == 404
    assert as_stranger.get(at("request_tags", row)).status_code == 404
    assert own_names(row) == ["draft"]
    assert list(Star.objects.values_list("user", flat=True)) == [viewer.pk]


def test_a_star_is_shown_to_its_user_alone(as_owner, as_viewer, row):
    reply = as_owner.post(at("star_request", row), {"on": "1"}, headers=HX)
    news = {"request:starred": {"id": str(row.public_id), "on": True}}
    assert json.loads(reply["HX-Trigger"]) == news
    for page in (reverse("requests:list"), at("detail", row)):
        assert 'aria-pressed="true"' in as_owner.get(page).text
        assert 'aria-pressed="true"' not in as_viewer.get(page).text
    assert "acme/img" in as_owner.get("/requests/?q=starred:yes").text
    assert "No request matches" in as_viewer.get("/requests/?q=starred:yes").text
    as_owner.post(at("star_request", row), {"on": "0"})
    assert not Star.objects.exists()


def test_a_pushed_row_has_its_tags_and_leaves_the_star_to_the_page(row, owner):
    tag(row, owner, *(f"t{number}" for number in range(6)))
    variant = RowVariant(may_submit=True, query="?team=5", sees=True)
    html = pushed_rows(row.team_id, [str(row.public_id)], [variant])[variant]
    assert "data-unknown" in html
    assert "q=tag%3At0&amp;team=5" in html and ">+3<" in html


def test_a_page_of_rows_asks_for_tags_once(as_owner, owner, team, django_assert_max_num_queries):
    url = reverse("requests:list")
    as_owner.get(url)
    for number in range(12):
        tag(make_request(team=team, person=owner), owner, f"t{number}")
    with django_assert_max_num_queries(40):
        page = as_owner.get(url).text
    assert page.count('class="tag-chip"') == 12


def test_the_form_tags_what_it_submits_and_keeps_what_is_no_tag(as_owner, row, owner):
    tag(row, owner, "draft")
    form = as_owner.get(f"{reverse('requests:new')}?again={row.public_id}")
    assert 'name="own_tags" value="draft"' in form.text
    typed = {
        "token": "0" * 32, "endpoint_id": "acme/img", "mode": "queue", "input": "{}",
        "tags": "project=demo", "own_tags": "Hero, a*",
    }  # fmt: skip
    refused = as_owner.post(reverse("requests:new"), typed)
    assert refused.status_code == 422
    assert 'value="Hero, a*"' in refused.text and "a* is no tag" in refused.text
    as_owner.post(reverse("requests:new"), typed | {"own_tags": "Hero"})
    made = FalRequest.objects.latest("pk")
    assert own_names(made) == ["hero"] and made.options["tags"] == "project=demo"
