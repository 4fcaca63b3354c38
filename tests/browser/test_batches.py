"""A preset and a batch by keyboard and mouse: saved from the form, filled in, started, followed to its end."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.workspace import fill_input

pytestmark = pytest.mark.browser

INPUT = '{"message": "hello {{subject}}", "number": "{{n}}"}'


@pytest.fixture
def saved(open_page: OpenPage) -> Page:
    """The page of a preset that was saved from the request form."""
    page = open_page("/requests/new/?endpoint=sandbox/echo")
    fill_input(page, INPUT)
    page.get_by_text("Presets", exact=True).click()
    page.get_by_label("Save as preset").fill("greeting")
    page.get_by_label("Save as preset").press("Enter")
    expect(page.get_by_text("Saved “greeting”")).to_be_visible()
    page.goto("/presets/")
    page.get_by_role("link", name="greeting", exact=True).click()
    return page


def test_a_presets_variables_are_filled_in_exactly(saved: Page) -> None:
    saved.get_by_role("link", name="Use").click()
    saved.get_by_label("subject").fill('a "cat"')
    saved.get_by_label("n", exact=True).fill("7.50")
    text = saved.locator("#id_input")
    expect(text).to_have_value('{"message": "hello a \\"cat\\"", "number": 7.50}')
    saved.get_by_label("n", exact=True).fill("")  # not given again: it is a variable still
    expect(text).to_have_value('{"message": "hello a \\"cat\\"", "number": "{{n}}"}')


def test_a_batch_is_checked_started_and_ends_while_it_is_watched(saved: Page) -> None:
    saved.get_by_role("link", name="New batch").click()
    saved.get_by_label("Pasted rows", exact=True).first.check()
    rows = saved.locator("#id_text")
    rows.fill("subject\nx\n")
    rows.press("Tab")
    saved.get_by_role("button", name="Check the rows").press("Enter")
    expect(saved.get_by_text("no column for the variable n")).to_be_visible()
    expect(rows).to_have_value("subject\nx\n")
    rows.fill("subject,n\nann,1\nbob,2\n")
    saved.get_by_role("button", name="Check the rows").click()
    expect(saved.get_by_text("2 requests will be made")).to_be_visible()
    expect(saved.get_by_text('{"message": "hello ann", "number": 1}')).to_be_visible()
    saved.get_by_role("button", name="Start").click()
    expect(saved.get_by_text("finished")).to_be_visible()
    expect(saved.get_by_role("heading", name="2 of 2")).to_be_visible()
    results = saved.get_by_role("region", name="Newest results").get_by_role("listitem")
    expect(results).to_have_count(2)
    expect(results.first).to_contain_text("Row 2")
    saved.get_by_role("link", name="Show in the list").click()
    expect(saved.locator("tr.row")).to_have_count(2)
    saved.locator("tr.row .row-link").first.click()
    saved.locator(".request-line").get_by_role("link", name="batch").click()
    expect(saved.get_by_role("heading", name="2 of 2")).to_be_visible()
