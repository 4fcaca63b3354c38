"""Single keys lead to pages, and never while one is typing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_g_and_the_key_of_a_place_lead_there_and_a_lone_key_does_not(open_page):
    page = open_page("/settings/")
    page.keyboard.press("b")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/endpoints/$"))
    page.locator("input[type=search]").first.focus()
    page.keyboard.type("gr")
    expect(page.locator("input[type=search]").first).to_have_value("gr")
    page.keyboard.press("Escape")
    page.locator("h1").first.click()
    page.keyboard.press("g")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile("/requests/$"))
