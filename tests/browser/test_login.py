"""The log-in ends while a page is open: it says so, keeps what was typed, and goes on afterwards, once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PASSWORD, fill_log_in, log_in
from tests.browser.workspace import fill_input, made
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

NEW = "/requests/new/?endpoint=sandbox/echo"
END_SESSION = """
from requests_app.models.session import Session
Session.objects.filter(session_key={!r}).delete()
"""
ROLE = """
from requests_app.models import Membership
Membership.objects.filter(user__username="grace").update(role={!r})
"""


def end_session(page: Page) -> None:
    """As another tab's log-out does it."""
    other = page.context.new_page()
    other.goto("/requests/")
    other.get_by_label("Your account").click()
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/accounts/login/**")
    other.close()


def bar(page: Page) -> Any:
    return page.locator("#logged-out")


def log_in_beside(page: Page) -> None:
    with page.expect_popup() as popup:
        bar(page).get_by_role("link", name="Log in").click()
    fill_log_in(popup.value)
    expect(popup.value.get_by_text("You are logged in again")).to_be_visible()
    popup.value.wait_for_load_state()  # its scripts have told the other pages
    popup.value.close()


def count_of(page: Page, words: str) -> int:
    page.goto(f'/requests/?q="{words}"')
    return int(page.locator("tr.row").count())


def test_a_submit_after_the_log_out_is_made_once_after_the_log_in(own_page: Any) -> None:
    page = own_page(NEW)
    typed = json.dumps({"message": "kept over the log out"})
    fill_input(page, typed)
    end_session(page)
    page.get_by_role("button", name="Submit").click()
    expect(bar(page)).to_contain_text("You are logged out")
    expect(page.get_by_role("button", name="Submit")).to_be_enabled()
    assert page.input_value("#id_input") == typed
    page.get_by_role("button", name="Submit").click()  # impatient: still one wish
    log_in_beside(page)
    expect(bar(page)).to_be_hidden()
    expect(made(page)).to_have_count(1)
    assert count_of(page, "kept over the log out") == 1


def test_what_was_changed_meanwhile_is_not_sent_by_itself(own_page: Any) -> None:
    page = own_page(NEW)
    fill_input(page, '{"message": "first thought"}')
    end_session(page)
    page.get_by_role("button", name="Submit").click()
    expect(bar(page)).to_be_visible()
    fill_input(page, '{"message": "second thou')
    log_in_beside(page)
    expect(page.locator(".toast")).to_contain_text("press the button once more")
    expect(made(page)).to_have_count(0)
    fill_input(page, '{"message": "second thought"}')
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)


def test_after_a_log_in_in_another_tab_the_open_form_works(own_page: Any) -> None:
    page = own_page(NEW)
    fill_input(page, '{"message": "renewed token"}')
    end_session(page)
    other = page.context.new_page()
    log_in(other)
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    expect(bar(page)).to_be_hidden()
    expect(page.locator(".toast-error")).to_have_count(0)


def test_a_token_that_is_old_is_renewed_and_the_submit_sent_again_once(own_page: Any) -> None:
    page = own_page(NEW)
    fill_input(page, '{"message": "old token"}')
    posts: list[str] = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))
    page.evaluate("""() => {
        document.body.setAttribute("hx-headers", '{"X-CSRFToken": "' + "x".repeat(64) + '"}');
        document.querySelector("#request-form [name=csrfmiddlewaretoken]").value = "x".repeat(64);
    }""")
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    assert len(posts) == 2


def test_a_browser_that_has_lost_its_cookies_is_logged_out_too(own_page: Any) -> None:
    page = own_page(NEW)
    fill_input(page, '{"message": "without a cookie"}')
    page.context.clear_cookies()
    page.get_by_role("button", name="Submit").click()
    expect(bar(page)).to_contain_text("You are logged out")
    expect(page.locator(".toast-error")).to_have_count(0)
    log_in_beside(page)
    expect(made(page)).to_have_count(1)


def test_the_light_does_not_stay_green_and_comes_back(own_page: Any) -> None:
    page = own_page("/requests/")
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "live")
    end_session(page)
    expect(light).to_have_attribute("data-state", "offline")
    expect(light).to_have_attribute("title", re.compile("logged out"))
    expect(bar(page)).to_be_visible()
    log_in_beside(page)
    expect(light).to_have_attribute("data-state", "live")
    expect(bar(page)).to_be_hidden()


def test_the_end_of_a_log_in_that_no_page_tells_of_is_shown_by_the_light_and_the_bar(
    own_page: Any, installation: Serving
) -> None:
    page = own_page("/requests/")
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "live")
    expect(bar(page)).to_be_hidden()
    # Its own alone: the other tests share a log-in.
    [key] = [one["value"] for one in page.context.cookies() if one["name"] == "faldeck"]
    installation.manage("shell", "-v", "0", "-c", END_SESSION.format(key))
    expect(light).to_have_attribute("data-state", "offline")
    expect(light).to_have_attribute("title", re.compile("logged out"))
    expect(bar(page)).to_contain_text("You are logged out")
    log_in_beside(page)
    expect(light).to_have_attribute("data-state", "live")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("role", "Not allowed. Your role in this team does not allow this."),
        ("origin", "This was sent from another address. Nothing was done."),
    ],
)
def test_why_a_submit_is_not_allowed_is_said_in_the_words_of_its_cause(
    own_page: Any, installation: Serving, cause: str, words: str
) -> None:
    page = own_page(NEW)
    typed = json.dumps({"message": f"refused because of the {cause}"})
    fill_input(page, typed)
    if cause == "role":
        installation.manage("shell", "-v", "0", "-c", ROLE.format("viewer"))
    else:
        page.route(re.compile("/requests/new/"), send_from_elsewhere)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".toast-error")).to_contain_text(words)
    expect(made(page)).to_have_count(0)
    expect(bar(page)).to_be_hidden()
    assert page.input_value("#id_input") == typed
    page.unroute_all()
    installation.manage("shell", "-v", "0", "-c", ROLE.format("owner"))
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)


def send_from_elsewhere(route: Route) -> None:
    """As if a page of another site had sent it."""
    request = route.request
    if request.method != "POST":
        route.continue_()
        return
    headers = {**request.headers, "origin": "https://elsewhere.example"}
    route.fulfill(response=route.fetch(headers=headers))


def test_cancel_after_the_log_out_is_asked_after_the_log_in(own_page: Any) -> None:
    page = own_page("/requests/new/?endpoint=sandbox/patient")
    fill_input(page, '{"seconds": 600}')
    page.locator("[name=mode][value=queue]").check()
    page.get_by_role("button", name="Submit").click()
    expect(made(page).locator(".badge")).to_have_text(re.compile("queue|progress"))
    end_session(page)
    made(page).get_by_role("button", name="Cancel").click()
    expect(bar(page)).to_be_visible()
    log_in_beside(page)
    expect(made(page).locator(".badge")).to_have_text(re.compile("cancel"))


def test_a_page_never_goes_on_for_another_person(own_page: Any, installation: Any) -> None:
    installation.manage(
        "createsuperuser", "--noinput", "--username", "other", "--email", "other@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    installation.manage("create_team", "Others", "--owner", "other")
    page = own_page(NEW)
    fill_input(page, '{"message": "grace wrote this"}')
    end_session(page)
    other = page.context.new_page()
    log_in(other, "other")
    page.get_by_role("button", name="Submit").click()
    expect(bar(page)).to_contain_text("You are now logged in as other")
    expect(made(page)).to_have_count(0)
    assert count_of(other, "grace wrote this") == 0
    bar(page).get_by_role("button", name="Reload").click()
    expect(page.locator("#id_input")).not_to_have_value(re.compile("grace wrote"))


def test_a_draft_survives_the_log_out_for_its_own_user(own_page: Any) -> None:
    page = own_page(NEW)
    fill_input(page, '{"message": "before the log out"}')
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")
    log_in(page)
    page.goto(NEW)
    expect(page.locator("#draft-restored")).to_contain_text("Draft restored")
    assert page.input_value("#id_input") == '{"message": "before the log out"}'
