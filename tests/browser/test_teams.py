"""Two tabs, two teams, one browser: each tab goes on for its own, and says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, ask_again
from tests.browser.workspace import made, made_path, show_json
from tests.process.serving import Serving

pytestmark = pytest.mark.browser
TYPED = '{"message": "only for Beta"}'


@pytest.fixture(scope="module")
def state(window: Browser, installation: Serving) -> object:
    """What a log-in of somebody with two teams leaves; they were asked which one."""
    installation.manage(
        "createsuperuser", "--noinput", "--username", "joan", "--email", "joan@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    for team in ("Alpha", "Beta"):
        installation.manage("create_team", team, "--owner", "joan")
    ask_again(installation, None)
    context = window.new_context(base_url=installation.url)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("joan")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Choose a team")).to_be_visible()
    page.locator("main").get_by_role("button", name="Beta").click()
    expect(page.get_by_role("heading", name="Requests")).to_be_visible()
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture(params=[True, False], ids=["with scripts", "without"])
def context(
    request: pytest.FixtureRequest, window: Browser, installation: Serving, state: object
) -> Iterator[BrowserContext]:
    context = window.new_context(
        base_url=installation.url, storage_state=state, java_script_enabled=request.param  # type: ignore[arg-type]
    )  # fmt: skip
    yield context
    context.close()


def tab(context: BrowserContext, path: str) -> Page:
    page = context.new_page()
    page.goto(path)
    return page


def switch(context: BrowserContext, team: str) -> None:
    page = tab(context, "/requests/")
    page.locator(".menu-left summary").click()
    page.locator(".menu-left").get_by_role("button", name=team).click()
    expect(page.locator(".menu-left summary")).to_contain_text(team)
    page.close()


def fill(page: Page, *, scripted: bool = True) -> None:
    page.get_by_label("Endpoint").fill("sandbox/echo")
    if scripted:
        show_json(page)
    page.locator("#id_input").fill(TYPED)
    page.get_by_role("button", name="Submit", exact=True).click()


@pytest.mark.parametrize("context", [True], indirect=True)
def test_a_form_of_another_team_asks_keeps_the_text_and_stays_in_its_team(
    context: BrowserContext,
) -> None:
    switch(context, "Beta")
    page = tab(context, "/requests/new/")
    switch(context, "Alpha")
    fill(page)
    dialog = page.locator("#team-dialog")
    expect(dialog).to_contain_text("This page was made for Beta")
    expect(dialog).to_contain_text("You are in Alpha now.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("#id_input")).to_have_value(TYPED)
    expect(made(page)).to_have_count(0)
    page.get_by_role("button", name="Submit", exact=True).click()
    dialog.get_by_role("button", name="Continue in Beta").click()
    expect(made(page)).to_have_count(1)
    first = made_path(page)
    page.get_by_role("button", name="Submit", exact=True).click()  # the reader has been told
    expect(made(page)).not_to_have_attribute("data-request", first.split("/")[2])
    expect(tab(context, "/requests/").locator("main")).not_to_contain_text("only for Beta")


@pytest.mark.parametrize("context", [False], indirect=True)
def test_without_scripts_a_page_shows_what_was_typed_and_sends_it_on(
    context: BrowserContext,
) -> None:
    switch(context, "Beta")
    page = tab(context, "/requests/new/")
    switch(context, "Alpha")
    fill(page, scripted=False)
    expect(page.get_by_role("heading", level=1)).to_have_text("This form was made for Beta")
    expect(page.locator("main pre", has_text="only for Beta")).to_be_visible()
    page.get_by_role("button", name="Continue in Beta").click()
    expect(page.locator("main")).to_contain_text("in Beta")
    assert page.url.partition("/requests/")[2]


@pytest.mark.parametrize("context", [True], indirect=True)
def test_a_list_goes_on_for_its_team_and_says_so(context: BrowserContext) -> None:
    switch(context, "Beta")
    page = tab(context, "/requests/")
    other = tab(context, "/requests/new/")
    switch(context, "Alpha")
    notice = page.locator("#team-notice")
    fill(other)
    other.get_by_role("button", name="Continue in Beta").click()
    expect(page.locator("tbody tr").first).to_contain_text("only for Beta")
    expect(notice).to_contain_text(
        "This page is for Beta. In this browser you have switched to Alpha."
    )
    notice.get_by_role("button", name="Stay in Beta here").click()
    expect(notice).to_be_hidden()
    page.get_by_role("link", name="New", exact=True).click()
    expect(notice).to_contain_text("This page is for Beta")
    fill(page)
    expect(made(page)).to_have_count(1)
