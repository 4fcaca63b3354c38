"""The price before the click, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser
KNOWN = re.compile(r"\$[\d.]+ / .*a call usually costs\s+\$[\d.]+", re.DOTALL)


def test_the_price_comes_by_itself_and_follows_the_endpoint(open_page: Any) -> None:
    page = open_page("/requests/new/?endpoint=sandbox/image", width=390)
    price = page.locator("#price")
    expect(price).to_have_text(KNOWN)
    page.get_by_label("Endpoint", exact=True).fill("never/heard-of")
    expect(price).to_contain_text("Price unknown.")
    page.get_by_label("Endpoint", exact=True).fill("sandbox/echo")
    expect(price).to_have_text(KNOWN)


def test_the_page_of_an_endpoint_has_it_too(open_page: Any) -> None:
    page = open_page("/endpoints/sandbox/image/")
    expect(page.locator(".price")).to_have_text(KNOWN)


@pytest.mark.parametrize("how", ["an error", "no answer"])
def test_a_price_that_does_not_come_is_left_out_without_a_word(own_page: Any, how: str) -> None:
    page = own_page("/requests/new/?endpoint=sandbox/image")
    price = page.locator("#price")
    expect(price).to_have_text(KNOWN)

    def fail(route: Route) -> None:
        if how == "an error":
            route.fulfill(status=502, body="")
        else:
            route.abort()

    page.route(re.compile("/requests/new/price/"), fail)
    page.get_by_label("Endpoint", exact=True).fill("sandbox/echo")
    expect(price).to_be_empty()
    expect(page.locator(".toast")).to_have_count(0)
