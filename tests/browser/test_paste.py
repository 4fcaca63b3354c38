"""Pasting a call and choosing an endpoint, by keyboard and mouse, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

SNIPPET = 'const r = await fal.run("sandbox/echo", { input: { message: "hi", number: 7.50 }, logs: true });'


def box(page: Page) -> None:
    page.locator("summary", has_text="Paste a call").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_pasted")).to_be_focused()


def test_a_snippet_fills_in_the_form_by_keys_alone_and_sends_nothing(open_page: OpenPage) -> None:
    page = open_page("/requests/new/", width=390)
    box(page)
    page.keyboard.insert_text(SNIPPET)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Filled in from what you pasted.")).to_be_visible()
    expect(page.locator("#id_endpoint_id")).to_have_value("sandbox/echo")
    expect(page.get_by_role("radio", name="Run")).to_be_checked()
    assert "7.50" in page.locator("#id_input").input_value()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_text_that_is_no_call_stays_in_the_box_with_the_reason(open_page: OpenPage) -> None:
    page = open_page("/endpoints/")
    box(page)
    page.keyboard.insert_text("hello there")
    page.get_by_role("button", name="Fill in the form").click()
    expect(page.locator("#paste-problem")).to_contain_text("No call to fal was found")
    expect(page.locator("#id_pasted")).to_have_value("hello there")


def test_a_star_keeps_the_focus_and_survives_a_reload(open_page: OpenPage) -> None:
    page = open_page("/endpoints/?q=sandbox/patient")
    star = page.locator('[id="star-fal-sandbox/patient"]')
    page.wait_for_load_state("networkidle")  # htmx takes up what it has put in a moment later
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    page.reload()
    own = page.locator('[id="star-own-sandbox/patient"]')
    expect(own).to_have_attribute("aria-pressed", "true")
    own.click()
    expect(own).to_have_attribute("aria-pressed", "false")


def test_a_search_narrows_while_typing_and_leads_to_the_endpoints_page(open_page: OpenPage) -> None:
    page = open_page("/endpoints/")
    page.locator("#endpoint-q").fill("osprey lipsync")
    expect(page.locator("#endpoint-results .endpoint-id")).to_have_count(4)
    assert "q=osprey" in page.url
    page.locator("#endpoint-results .endpoint-id").first.click()
    expect(page.get_by_role("heading", name="Fields")).to_be_visible()
    expect(page.locator(".endpoint-fields code").first).to_be_visible()


def test_the_pages_work_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/endpoints/?q=sandbox/crash", javascript=False)
    page.get_by_role("link", name="Show fal's models").click()
    page.locator('[id="star-fal-sandbox/crash"]').click()
    own = page.locator('[id="star-own-sandbox/crash"]')
    expect(own).to_have_attribute("aria-pressed", "true")
    own.click()
    page.locator("summary", has_text="Paste a call").click()
    page.locator("#id_pasted").fill("https://fal.run/sandbox/echo")
    page.get_by_role("button", name="Fill in the form").click()
    expect(page.locator("#id_endpoint_id")).to_have_value("sandbox/echo")
