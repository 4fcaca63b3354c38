"""An uncertain request in a real browser: the page tells of the search, and of its end without a reload."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_request_page import badge, submit

pytestmark = pytest.mark.browser


LOST = {"when": "submit", "do": "drop_reply_after_accepting", "endpoint": "sandbox/image"}
UNHEARD = {"when": "webhook", "do": "lose", "endpoint": "sandbox/image", "times": None}


def test_a_lost_request_is_found_while_its_page_is_open(open_page: Any, faults: Any) -> None:
    faults(LOST, UNHEARD, {"when": "list", "do": "403", "times": None})
    path = submit(open_page, "sandbox/image", {"prompt": "found again", "seed": 12})
    page = open_page(path, width=390)
    expect(badge(page)).to_have_text("uncertain")
    search = page.locator("[data-looks-in]")
    expect(search).to_contain_text("looked for in fal's list of finished requests")
    expect(search.locator("time")).to_be_visible()
    expect(search).to_contain_text("not shown to this installation's key")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_the_list_shows_ends_it_without_a_reload(open_page: Any, faults: Any) -> None:
    faults(LOST, UNHEARD)
    path = submit(open_page, "sandbox/image", {"prompt": "found at once", "seed": 13})
    page = open_page(path)
    expect(badge(page)).to_have_text("completed")
    expect(page.locator("#panel-output img")).to_be_visible()
    page.get_by_role("tab", name="Events").click()
    expect(page.locator("#panel-events")).to_contain_text("fal's list of finished requests")


def test_a_page_follows_the_time_of_the_next_look(open_page: Any, faults: Any) -> None:
    """A look that finds nothing is no change, so nobody tells the page of it."""
    faults({**LOST, "do": "reset_before"})
    path = submit(open_page, "sandbox/image", {"prompt": "never arrived", "seed": 14})
    page = open_page(path)
    expect(badge(page)).to_have_text("uncertain")
    clock = page.locator("[data-looks-in] time")
    first = clock.get_attribute("datetime")
    expect(clock).not_to_have_attribute("datetime", first or "")


def test_giving_up_asks_first_by_mouse_and_by_keyboard_and_says_what_is_unknown(
    open_page: Any, faults: Any
) -> None:
    faults({**LOST, "do": "reset_before"})
    path = submit(open_page, "sandbox/image", {"prompt": "given up", "seed": 15})
    page = open_page(path, width=390)
    expect(badge(page)).to_have_text("uncertain")
    opener = page.get_by_role("link", name="Give up…")
    dialog = page.get_by_role("dialog", name="Give up on this request?")
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("it may run, and it may be paid")
    expect(dialog.get_by_role("button", name="Keep waiting")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    expect(badge(page)).to_have_text("uncertain")
    opener.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    dialog.get_by_role("button", name="Give up").click()
    expect(badge(page)).to_have_text("given up")
    expect(page.locator("#part-output")).to_contain_text("Given up, outcome unknown")
    expect(page.get_by_role("link", name="Run again (may cost twice)")).to_be_visible()
