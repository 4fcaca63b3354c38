"""What tests of several pages do: type an input, find the request that was made, wait for a condition."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import PATIENCE_MS


def show_json(page: Page) -> None:
    """The JSON view: an endpoint with a schema opens with its form, once that is there."""
    expect(page.locator("#schema-view > *")).to_have_count(1)
    if page.locator("#view-switch").is_visible():
        page.get_by_role("button", name="JSON", exact=True).click()


def until(page: Page, check: Callable[[], Any]) -> None:
    """Wait until the test itself has seen what it waits for; for the page's own state there is `expect`."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not check():
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(20)


def made(page: Page) -> Locator:
    """The request that was submitted last, in its place beside the form."""
    return page.locator("#result .request-page")


def made_path(page: Page) -> str:
    """The path of its own page."""
    return f"/requests/{made(page).get_attribute('data-request')}/"


def fill_input(page: Page, value: object) -> None:
    """A text as it is; anything else as JSON."""
    show_json(page)
    page.locator("#id_input").fill(value if isinstance(value, str) else json.dumps(value))
