"""The price before the click, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

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
