"""Ticking rows in a real browser: ranges, keys, live rows, and the way to a finished action."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def submit(installation: Any) -> Any:
    """A program of the team: submit(n) -> the public ids of n patient requests, oldest first."""
    token = installation.manage("create_token", "--user", "grace", "--team", "Navy")

    def call(count: int, mark: str) -> list[str]:
        ids = []
        for number in range(count):
            reply = httpx.post(
                f"{installation.url}/api/v1/requests/",
                json={
                    "endpoint_id": "sandbox/patient",
                    "input": {"seconds": 600, "mark": mark, "number": number},
                },
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            )
            assert reply.status_code == 201, reply.text
            ids.append(reply.json()["id"])
        return ids

    return call


def box(page: Page, public_id: str) -> Any:
    return page.locator(f"#request-{public_id} .row-check")


def test_a_range_is_ticked_asked_about_and_cancelled(open_page, submit):
    ids = submit(4, "range")
    page = open_page("/requests/?q=range")
    bar = page.locator("#selection")
    expect(bar).to_be_hidden()
    box(page, ids[3]).check()
    # As when the row changes in between: it is another element, with the tick of the former.
    page.locator(f"#request-{ids[3]}").evaluate("row => row.replaceWith(row.cloneNode(true))")
    box(page, ids[1]).click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 ticked")
    expect(box(page, ids[0])).not_to_be_checked()
    assert page.url.endswith("q=range"), "a tick opens no request"
    bar.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Cancel 3\s+requests\?"))
    page.get_by_role("button", name="Cancel 3 requests").click()
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.locator(".page-title .badge")).to_have_text("finished")
    page.goto("/requests/?q=range")
    expect(page.locator("tr[data-status=cancelled]")).to_have_count(3)


def test_a_tick_survives_the_change_of_its_row_and_back(open_page, submit):
    ids = submit(2, "kept")
    page = open_page("/requests/?q=kept")
    box(page, ids[0]).check()
    page.locator(f"#request-{ids[0]} button[title=Cancel]").click()
    expect(page.locator(f"#request-{ids[0]}")).to_have_attribute("data-status", "cancelled")
    expect(box(page, ids[0])).to_be_checked()
    expect(page.locator("#selection")).to_contain_text("1 ticked")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#selection")).to_be_hidden()


def test_rows_are_ticked_with_the_keyboard_and_all_with_one_box(open_page, submit):
    ids = submit(2, "keys")
    page = open_page("/requests/?q=keys")
    expect(box(page, ids[0])).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(box(page, ids[1])).to_be_checked()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#selection")).to_contain_text("2 ticked")
    every = page.get_by_label("Select all on this page")
    expect(every).to_be_checked()
    every.uncheck()
    expect(page.locator(".row-check:checked")).to_have_count(0)


def test_without_scripts_all_that_match_are_chosen_by_the_form(open_page, submit):
    submit(2, "plain")
    page = open_page("/requests/?q=plain", javascript=False)
    page.get_by_label("All that match").check()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Cancel 2 requests").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Cancel 2\s+requests"))


def test_on_a_phone_the_bar_stays_in_reach(open_page, submit):
    ids = submit(3, "phone")
    page = open_page("/requests/?q=phone", width=390)
    box(page, ids[2]).check()
    bar = page.locator("#selection")
    expect(bar).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
