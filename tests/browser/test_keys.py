"""Single keys lead to pages, and never while one is typing."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def http(installation):
    """The API, as grace."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=installation.url, headers=headers, timeout=60) as client:
        yield client


def submit(http, endpoint_id, wait=0, **input):
    body = {"endpoint_id": endpoint_id, "input": input, "allow_duplicate": True}
    reply = http.post(f"/api/v1/requests/?wait={wait}", json=body)
    assert reply.is_success, reply.text
    return reply.json()["id"]


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


def test_c_asks_once_and_cancels_in_the_list_and_on_the_page(open_page, http):
    first = submit(http, "sandbox/patient", seconds=600, prompt="unwanted")
    second = submit(http, "sandbox/patient", seconds=600, prompt="unwanted")
    page = open_page("/requests/?q=unwanted")
    row = page.locator(f"#request-{first}")
    row.locator(".row-link").focus()
    question = page.locator("#cancel-dialog")
    page.keyboard.press("c")
    expect(question).to_contain_text("sandbox/patient")
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    page.keyboard.press("c")
    expect(question).to_be_visible()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("data-status", "cancelled")
    page.goto(f"/requests/{second}/")
    page.keyboard.press("c")
    question.get_by_role("button", name="Cancel the request").click()
    expect(page.locator("#part-head")).to_have_attribute("data-status", "cancelled")


def test_r_and_e_run_again_from_the_row(open_page, http):
    done = submit(http, "sandbox/echo", wait=30, message="once more")
    page = open_page("/requests/?q=once")
    row = page.locator(f"#request-{done}")
    expect(row).to_have_attribute("data-status", "completed")
    row.locator(".row-link").focus()
    page.keyboard.press("r")
    expect(page.locator("#again-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#again-dialog")).to_be_hidden()
    row.locator(".row-link").focus()
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(rf"/requests/new/\?again={done}"))


def test_a_point_holds_the_news_back_until_it_is_pressed_again(open_page, http):
    page = open_page("/requests/?q=held")
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "live")
    page.keyboard.press(".")
    expect(light).to_have_attribute("data-state", "paused")
    made = submit(http, "sandbox/echo", wait=30, message="held back")
    expect(page.locator(f"#request-{made}")).to_have_count(0)
    page.keyboard.press(".")
    expect(light).to_have_attribute("data-state", "live")
    expect(page.locator(f"#request-{made}")).to_have_attribute("data-status", "completed")


def test_single_keys_are_switched_off_for_the_person(open_page):
    page = open_page("/settings/")
    sent = []

    def take(route):
        sent.append(route.request.post_data)
        route.fulfill(status=204)

    page.route("**/settings/keys/", take)
    page.keyboard.press("?")
    sheet = page.locator("#shortcuts")
    with page.expect_response("**/settings/keys/"):
        sheet.get_by_label("Switch single-key shortcuts off").check()
    assert sent == ["off=on"]
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(sheet).to_be_hidden()
