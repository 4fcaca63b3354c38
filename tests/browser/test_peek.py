"""The panel beside the list, in a real browser: opened, walked, closed, and the list stays as it is."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_layout_shift import shift_of, watch
from tests.process.serving import Serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def peeked(installation: Serving) -> list[str]:
    """Requests that need some scrolling, newest first; the newest stays open until it is cancelled."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")

    def make(http: httpx.Client, endpoint_id: str, **input: Any) -> str:
        body = {"endpoint_id": endpoint_id, "input": input, "allow_duplicate": True}
        public_id: str = http.post("/api/v1/requests/", json=body).json()["id"]
        return public_id

    with httpx.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as http:
        made = [make(http, "sandbox/large", prompt=f"peeking {n}") for n in range(29)]
        made.append(make(http, "sandbox/patient", seconds=600, prompt="peeking at last"))
    return made[::-1]


LIST = "/requests/?q=peeking"


def link(page: Page, public_id: str) -> Locator:
    return page.locator(f"#request-{public_id} .row-link")


def panel(page: Page) -> Locator:
    return page.locator("#peek")


def shows(page: Page, public_id: str) -> None:
    """The panel shows this request, the row is marked, and the address names it."""
    expect(panel(page).locator(".request-page")).to_have_attribute("data-request", public_id)
    expect(link(page, public_id)).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(re.compile(f"peek={public_id}"))


def test_the_panel_opens_follows_and_closes_and_the_list_keeps_its_place(
    open_page: OpenPage, peeked: list[str]
) -> None:
    page = open_page(LIST, width=1440, before=watch)
    row = page.locator(f"#request-{peeked[20]}")
    row.locator(".row-summary").scroll_into_view_if_needed()
    place = "row => [scrollY, row.getBoundingClientRect().top]"
    before = row.evaluate(place)
    row.locator(".row-summary").click()
    shows(page, peeked[20])
    expect(link(page, peeked[20])).to_be_focused()
    assert row.evaluate(place) == before
    page.keyboard.press("j")
    shows(page, peeked[21])
    page.keyboard.press("k")
    page.keyboard.press("k")
    shows(page, peeked[19])
    panel(page).evaluate("panel => panel.scrollTo(0, 200)")
    panel(page).get_by_role("button", name="Next", exact=True).click()
    shows(page, peeked[20])
    assert panel(page).evaluate("panel => panel.scrollTop") == 0
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"/requests/\?q=peeking$"))
    expect(link(page, peeked[20])).to_be_focused()
    expect(row).to_be_in_viewport()
    page.go_forward()
    shows(page, peeked[20])
    page.go_back()
    expect(panel(page)).to_be_hidden()
    expect(link(page, peeked[20])).to_be_focused()
    score, told = shift_of(page)
    assert score <= 0.05, told


def test_enter_opens_enters_and_shift_enter_leads_to_the_page(
    open_page: OpenPage, peeked: list[str]
) -> None:
    page = open_page(LIST, width=1440)
    link(page, peeked[3]).focus()
    page.keyboard.press("Enter")
    shows(page, peeked[3])
    expect(link(page, peeked[3])).to_be_focused()
    page.keyboard.press("Enter")
    expect(panel(page)).to_be_focused()
    page.keyboard.press("j")
    expect(link(page, peeked[4])).to_be_focused()
    shows(page, peeked[4])
    page.keyboard.press("Shift+Enter")
    expect(page).to_have_url(re.compile(rf"/requests/{peeked[4]}/\?q=peeking$"))
    page.go_back()
    shows(page, peeked[4])
    expect(link(page, peeked[4])).to_be_focused()


def test_what_has_a_meaning_of_its_own_opens_no_panel(
    open_page: OpenPage, peeked: list[str]
) -> None:
    page = open_page(LIST, width=1440)
    oldest = peeked[-1]  # ended first: a row that changes would drop the selection
    row = page.locator(f"#request-{oldest}")
    expect(row).to_have_attribute("data-status", "completed")
    row.scroll_into_view_if_needed()
    words = row.locator(".row-summary").bounding_box()
    page.mouse.move(words["x"] + 2, words["y"] + 8)
    page.mouse.down()
    page.mouse.move(words["x"] + 60, words["y"] + 8, steps=4)
    page.mouse.up()
    assert page.evaluate("getSelection().toString()")
    row.locator(".row-check").check()
    with page.context.expect_page() as opened:
        link(page, oldest).click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_url(re.compile(rf"/requests/{oldest}/"))
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"q=peeking$"))


def test_its_address_opens_it_and_an_act_shows_in_both_places(
    open_page: OpenPage, peeked: list[str]
) -> None:
    page = open_page(f"{LIST}&peek={peeked[0]}", width=1440)
    shows(page, peeked[0])
    panel(page).get_by_role("button", name="Cancel").click()
    expect(page.locator(f"#request-{peeked[0]}")).to_have_attribute("data-status", "cancelled")
    expect(panel(page).locator("#part-head")).to_have_attribute("data-status", "cancelled")
    expect(link(page, peeked[0])).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(re.compile(r"q=peeking$"))


def test_gone_and_failed_are_told_and_a_failed_one_is_tried_again(
    own_page: Any, peeked: list[str]
) -> None:
    page = own_page(LIST)
    answers = [404, 500]

    def answer(route: Route) -> None:
        if answers:
            route.fulfill(status=answers.pop(0))
        else:
            route.continue_()

    page.route("**/peek/", answer)
    link(page, peeked[5]).click()
    expect(panel(page)).to_contain_text("not there any more")
    expect(panel(page).get_by_role("button", name="Try again")).to_have_count(0)
    link(page, peeked[6]).click()
    expect(panel(page)).to_contain_text("the server answers 500")
    panel(page).get_by_role("button", name="Try again").click()
    shows(page, peeked[6])


def test_on_a_phone_a_tap_leads_to_the_page_and_so_does_the_panel_s_address(
    open_page: OpenPage, peeked: list[str]
) -> None:
    page = open_page(LIST, width=390)
    link(page, peeked[1]).click()
    own = re.compile(rf"/requests/{peeked[1]}/\?q=peeking$")
    expect(page).to_have_url(own)
    expect(page.get_by_role("link", name="Next")).to_be_visible()
    page.goto(f"{LIST}&peek={peeked[1]}")
    expect(page).to_have_url(own)
