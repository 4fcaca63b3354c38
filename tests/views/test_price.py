"""The price line: a part of its own, which a page asks for after it stands."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.catalogue.prices import listed
from tests.catalogue.test_prices import fal

__all__ = ["fal"]
PRICE = reverse("requests:price")


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "Price unknown. fal has no price"), (403, "lacks the permission"), (500, "HTTP 500")],
)
def test_the_line_says_what_is_not_known(as_owner, fal, status, words):
    fal.price = (status, {})
    assert words in as_owner.get(PRICE, {"endpoint_id": "acme/img"}).content.decode()


def test_the_line_has_the_unit_in_fals_words(as_owner, fal):
    fal.price = (200, listed("acme/img", 0.15, unit="5 <seconds>"))
    shown = as_owner.get(PRICE, {"endpoint_id": " acme/img "}).content.decode()
    assert "$0.15</span> / 5 &lt;seconds&gt;" in shown and "$0.04" in shown


@pytest.mark.parametrize("name", ["", "acme", "../..", "a\0b/c", "x" * 5000])
def test_what_is_no_id_has_no_price_and_asks_nothing(as_owner, fal, name):
    reply = as_owner.get(PRICE, {"endpoint_id": name})
    assert (reply.status_code, reply.content.strip(), fal.asked) == (200, b"", [])


def test_the_form_does_not_wait_for_the_price(as_owner, fal):
    page = as_owner.get(reverse("requests:new"), {"endpoint": "acme/img"}).content.decode()
    assert PRICE in page and fal.asked == []


@pytest.mark.parametrize(
    ("calls", "words"), [("1200", "1,200 calls usually cost"), ("x", "a call")]
)
def test_the_line_of_a_batch_has_the_cost_of_all_its_calls(as_owner, fal, calls, words):
    fal.price = (200, listed("acme/img", 0.15, unit="images"))
    shown = as_owner.get(PRICE, {"endpoint_id": "acme/img", "calls": calls}).text
    assert words in shown


@pytest.mark.slow
def test_one_user_s_questions_to_fal_are_bounded_and_what_is_known_is_shown(as_owner, fal):
    fal.price = (200, listed("acme/img", 0.15, unit="images"))
    for calls in range(1, 100):
        as_owner.get(PRICE, {"endpoint_id": "acme/img", "calls": str(calls)})
    asked = len(fal.asked)
    assert asked <= 2 * 60
    assert "$0.15" in as_owner.get(PRICE, {"endpoint_id": "acme/img", "calls": "1"}).text
    assert as_owner.get(PRICE, {"endpoint_id": "acme/img", "calls": "500"}).text.strip() == ""
    assert len(fal.asked) == asked
