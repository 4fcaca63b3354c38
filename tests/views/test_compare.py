"""Requests side by side: whose they may be, how many, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.urls import reverse

from requests_app.catalogue.prices import price_of
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Membership, Role, Team
from tests.builders import hear, make_queued, make_request, make_result
from tests.catalogue.prices import listed
from tests.catalogue.test_prices import fal
from tests.views.request_page import page

__all__ = ["fal"]

COMPARE = reverse("requests:compare")
PICTURE = {"images": [{"url": "https://v3.fal.media/a.png"}]}


def asked(client, *rows):
    return client.get(COMPARE, {"id": [str(getattr(row, "public_id", row)) for row in rows]})


@pytest.fixture
def rows(team, owner):
    inputs = [{"prompt": "x", "seed": 1}, {"prompt": "x", "seed": 2}, {"prompt": "x"}]
    return [make_request(team=team, person=owner, input=one) for one in inputs]


@pytest.mark.parametrize("count", [0, 1, 5, 500])
def test_too_few_or_too_many_are_refused_in_words(as_owner, count):
    reply = asked(as_owner, *[uuid4() for _ in range(count)])
    assert reply.status_code == 400
    assert "Choose 2 to 4 requests" in reply.content.decode()


def test_the_same_request_twice_is_one(as_owner, rows):
    assert asked(as_owner, rows[0], rows[0]).status_code == 400


@pytest.mark.parametrize("other", ["missing", "damaged", ""])
def test_a_request_that_is_not_there_is_a_404(as_owner, rows, other):
    unknown = uuid4() if other == "missing" else other
    assert asked(as_owner, rows[0], unknown).status_code == 404


def test_another_team_s_request_is_a_404_with_the_bytes_of_a_missing_one(as_stranger, rows):
    foreign, missing = asked(as_stranger, *rows[:2]), asked(as_stranger, uuid4(), uuid4())
    assert (foreign.status_code, foreign.content) == (404, missing.content)


def test_a_viewer_may_compare(as_viewer, rows):
    assert asked(as_viewer, *rows).status_code == 200


def test_fields_that_differ_are_marked_and_one_that_was_not_sent_says_so(as_owner, rows):
    shown = asked(as_owner, *rows).content.decode()
    assert shown.count("line-differs") == 1
    assert "seed<span" in shown and "prompt</th>" in shown
    assert "not sent" in shown


def test_another_endpoint_or_mode_is_named_first(as_owner, team, owner, rows):
    other = make_request(team=team, person=owner, endpoint_id="acme/other", mode="run")
    shown = asked(as_owner, rows[0], other).content.decode()
    assert shown.index("Endpoint<span") < shown.index("Mode<span") < shown.index("prompt")


def test_two_pictures_can_be_laid_over_each_other(as_owner, team, owner, settings, rows):
    settings.FAL_MEDIA_HOSTS = ["https://*.fal.media"]
    pictured = [make_queued(f"req-{number}", team=team, person=owner) for number in range(2)]
    for row in pictured:
        hear(row, make_result(output=PICTURE))
    assert "data-slider" in asked(as_owner, *pictured).content.decode()
    assert "data-slider" not in asked(as_owner, *pictured, rows[0]).content.decode()
    assert "data-slider" not in asked(as_owner, pictured[0], rows[0]).content.decode()


def billed(team, owner, number, units):
    row = make_queued(f"req-{number}", team=team, person=owner)
    hear(row, replace(make_result(), headers={"x-fal-billable-units": units}))
    return row


def costs(client, *rows):
    shown = asked(client, *rows).content.decode()
    part = shown[shown.index('id="part-costs"') :]
    return " ".join(part[: part.index("</section>")].split())


def test_what_fal_billed_and_its_price_stand_side_by_side(as_owner, team, owner, fal):
    rows = [billed(team, owner, number, units) for number, units in enumerate(["2.5", ""])]
    assert "Billable units" in costs(as_owner, *rows)
    assert "Unit price" not in costs(as_owner, *rows)  # nothing is fetched for this page
    assert fal.asked == []
    price_of(EndpointId.parse("acme/img"), team_id=1)
    shown = costs(as_owner, *rows)
    assert "<td>2.5</td> <td>-</td>" in shown
    assert shown.count("<td>$0.025 / megapixels</td>") == 2
    assert "Cost</th>" not in shown


def test_the_cost_is_the_one_that_was_stored(as_owner, team, owner, fal):
    fal.price = (200, listed("acme/img", 0.02, unit="units"))
    price_of(EndpointId.parse("acme/img"), team_id=1)
    rows = [billed(team, owner, number, units) for number, units in enumerate(["2.5", "NaN"])]
    cache.clear()
    assert "Cost</th> <td>$0.05</td> <td>-</td>" in costs(as_owner, *rows)


def test_without_any_number_it_says_so(as_owner, rows):
    assert "Not told by fal." in costs(as_owner, *rows)


def test_the_link_of_a_repeat_names_the_request_s_team(as_owner, team, owner):
    first = make_request(team=team, person=owner)
    again = make_request(team=team, person=owner, again_of=first)
    address = f"{COMPARE}?id={first.public_id}&amp;id={again.public_id}"
    assert f'href="{address}"' in page(as_owner, again)
    other = Team.objects.create(name="Second")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    assert f'href="{address}&amp;team={team.pk}"' in page(as_owner, again)


def test_hostile_words_stay_words(as_owner, team, owner, rows):
    evil = "<script>alert(1)</script>"
    other = make_request(team=team, person=owner, input={evil: evil})
    assert "<script>alert" not in asked(as_owner, rows[0], other).content.decode()
