"""The palette in a real browser: by keys, by mouse, and on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def opened(page):
    expect(page.locator("[data-palette]:not([hidden])")).to_have_count(1)  # the scripts are there
    page.keyboard.press("Control+k")
    palette = page.locator("#palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    return palette


def test_it_is_opened_searched_and_followed_by_keys(open_page):
    page = open_page("/settings/")
    page.locator("h1").first.click()
    palette = opened(page)
    page.keyboard.type("batches")
    first = palette.get_by_role("option", selected=True)
    expect(first).to_have_text(re.compile("Batches"))
    expect(palette.get_by_role("combobox")).to_have_attribute(
        "aria-activedescendant", first.get_attribute("id")
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/batches/$"))
    palette = opened(page)
    expect(palette.get_by_role("group", name="Pages")).to_be_visible()
    page.keyboard.press("ArrowDown")
    chosen = palette.get_by_role("option", selected=True)
    expect(chosen).to_have_count(1)
    expect(chosen).not_to_have_attribute("id", "palette-offer-0")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outside = (
        "document.activeElement !== document.body && !document.activeElement.closest('#palette')"
    )
    assert not page.evaluate(outside)
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()


def test_enter_follows_what_was_typed_however_late_the_answer_is(open_page):
    page = open_page("/batches/")
    palette = opened(page)
    expect(palette.get_by_role("group", name="Pages")).to_be_visible()
    page.keyboard.type("presets")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/presets/$"))


def test_what_the_page_can_do_is_done_by_mouse_and_on_a_phone(open_page):
    page = open_page("/requests/", width=390)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.locator("details.menu:has([data-palette]) > summary").click()
    page.get_by_role("button", name="Go to, or do").click()
    palette = page.locator("#palette")
    palette.get_by_role("combobox").fill("pause")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    palette.get_by_role("option", name=re.compile("Pause live updates")).click()
    expect(palette).to_be_hidden()
    expect(page.locator("#connection")).to_have_attribute("data-state", "paused")
