"""The list in a real browser, against a real process: what changes shows, and nothing moves by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    expect,
)

from tests.browser.conftest import Faults, held
from tests.browser.workspace import until
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

PASSWORD = "a long pass phrase"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """An installation with its sandbox, one owner, and the teams Acme and another."""
    folder: Path = tmp_path_factory.mktemp("list")
    with Serving(folder, SANDBOX_PORT=str(free_port())) as installation:
        installation.manage(
            "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        installation.manage("create_team", "Acme", "--owner", "ada")
        installation.manage("create_team", "Communications and Marketing", "--owner", "ada")
        yield installation


@pytest.fixture(scope="module")
def submit(serving: Serving) -> Any:
    """Somebody else's program: submit(prompt) -> the new row's public id."""
    tokens = {
        team: serving.manage("create_token", "--user", "ada", "--team", team)
        for team in ("Acme", "Communications and Marketing")
    }

    def call(
        prompt: str, endpoint_id: str = "sandbox/image", team: str = "Acme", **more: object
    ) -> str:
        reply = httpx.post(
            f"{serving.url}/api/v1/requests/",
            json={
                "endpoint_id": endpoint_id,
                "input": {"prompt": prompt, **more},
                "allow_duplicate": True,
            },
            headers={"Authorization": f"Bearer {tokens[team]}"},
        )
        assert reply.status_code == 201, reply.text
        public_id: str = reply.json()["id"]
        return public_id

    return call


@pytest.fixture(scope="module")
def cookies(window: Browser, serving: Serving) -> Any:
    """What a browser keeps after Ada has logged in through the form and chosen a team."""
    context = window.new_context()
    page = context.new_page()
    page.goto(f"{serving.url}/requests/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Acme").click()  # in several teams, a log-in asks for one
    expect(page.locator("#connection")).to_be_visible()
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def context(window: Browser, cookies: Any) -> Iterator[BrowserContext]:
    size = {"width": 1280, "height": 800}
    context = window.new_context(storage_state=cookies, viewport=size)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, serving: Serving, submit: Any) -> Iterator[Page]:
    """The list, live, the pointer away from the table. Any complaint of a script fails the test."""
    submit("something to begin with")
    troubles: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: _is_trouble(said) and troubles.append(said.text))
    page.goto(f"{serving.url}/requests/")
    page.mouse.move(5, 5)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    yield page
    assert troubles == []


def _is_trouble(said: ConsoleMessage) -> bool:
    """Errors of scripts and of the content policy; a server that is away is part of the play."""
    return said.type == "error" and not re.search("Failed to load|ERR_CONNECTION", said.text)


def row(page: Page, public_id: str) -> Any:
    return page.locator(f"#request-{public_id}")


def test_the_open_rows_in_sight_are_named_to_the_server(page: Page, submit: Any) -> None:
    named: list[list[str]] = []

    def hear(text: str | bytes) -> None:
        message = json.loads(text)
        if "rows" in message:
            named.append(message["rows"])

    page.on("websocket", lambda socket: socket.on("framesent", hear))
    page.reload()
    public_id = submit("patience", "sandbox/patient", seconds=600)
    expect(row(page, public_id)).to_be_visible()
    until(page, lambda: any(public_id in rows for rows in named))


def test_the_first_request_of_a_team_brings_the_filters(
    page: Page, submit: Any, serving: Serving
) -> None:
    name = "Communications and Marketing"
    code = f"from requests_app.models import Team; print(Team.objects.get(name='{name}').pk)"
    page.goto(f"{page.url}?team={serving.manage('shell', '-v', '0', '-c', code)}")
    expect(page.get_by_text("Nothing has been sent yet")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    public_id = submit("the first", team=name)
    expect(row(page, public_id)).to_be_visible()
    expect(page.locator("#search")).to_be_visible()
    expect(page.locator(".chip-count").first).to_have_text("1")


def test_a_new_row_comes_by_itself_and_follows_its_request_to_the_end(
    page: Page, submit: Any
) -> None:
    public_id = submit("comes by itself")
    expect(row(page, public_id)).to_be_visible()
    expect(page.locator("tr.row").first).to_have_id(f"request-{public_id}")
    expect(row(page, public_id).locator(".badge")).to_have_text("completed")
    expect(row(page, public_id).locator("img")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text(re.compile("completed"))


def test_a_row_that_changes_is_pushed_and_not_fetched(page: Page, submit: Any) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    public_id = submit("pushed as it is shown")
    expect(row(page, public_id)).to_have_attribute("data-status", "completed")
    # Earlier rows that moved while the page was joining are fetched.
    assert [url for url in fetched if "/requests/rows/" in url and public_id in url] == []


def test_nothing_moves_under_the_pointer(page: Page, submit: Any) -> None:
    first = page.locator("tr.row").first
    expect(first.locator(".badge")).to_have_text("completed")
    page.wait_for_load_state("networkidle")  # what earlier rows still brought is on the page
    first.hover()
    before = first.get_attribute("id"), first.bounding_box()
    public_id = submit("waits behind the button")
    pill = page.get_by_role("button", name="+1 new")
    expect(pill).to_be_visible()
    assert (first.get_attribute("id"), first.bounding_box()) == before
    expect(row(page, public_id)).to_have_count(0)
    pill.click()
    expect(row(page, public_id)).to_be_visible()
    expect(pill).to_be_hidden()


def test_a_row_that_stops_matching_stays_dimmed(page: Page, serving: Serving, submit: Any) -> None:
    with Faults(serving) as faults:
        faults(held("sandbox/slow"))
        page.goto(f"{serving.url}/requests/?q=status:active")
        public_id = submit("will not be active for long", "sandbox/slow")
        expect(row(page, public_id)).to_be_visible()
    expect(row(page, public_id)).to_have_class(re.compile("row-gone"))
    expect(row(page, public_id).locator(".badge")).to_have_text("completed")


def test_an_older_version_never_replaces_a_newer_one(page: Page, submit: Any) -> None:
    public_id = submit("has versions", "sandbox/slow")
    badge = row(page, public_id).locator(".badge")
    expect(badge).to_have_text("completed")
    answered = []

    def stale(route: Route) -> None:
        fresh = route.fetch()
        text = re.sub(r'data-seq="\d+"', 'data-seq="1"', fresh.text())
        answered.append(route.request.url)
        route.fulfill(response=fresh, body=text.replace("completed", "in progress"))

    page.route("**/requests/rows/**", stale)
    page.evaluate(
        "id => document.dispatchEvent(new CustomEvent('request:acted', {detail: {id}}))", public_id
    )
    until(page, lambda: answered)
    page.wait_for_timeout(500)
    expect(badge).to_have_text("completed")


def test_without_a_socket_it_polls_and_says_so(
    context: BrowserContext, serving: Serving, submit: Any
) -> None:
    page = context.new_page()
    page.route_web_socket("**/ws/", lambda socket: socket.close())
    page.goto(f"{serving.url}/requests/")
    page.mouse.move(5, 5)
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "polling")
    expect(light).to_have_attribute("title", re.compile("interrupted"))
    public_id = submit("found by polling", "sandbox/patient", seconds=600)
    expect(row(page, public_id)).to_be_visible()
    with page.expect_request(lambda asked: f"in_sight={public_id}" in asked.url):
        pass
    context.clear_cookies()
    expect(light).to_have_attribute("data-state", "offline")
    expect(light).to_have_attribute("title", re.compile("logged out"))


def test_after_an_outage_it_is_live_again_and_has_missed_nothing(
    page: Page, serving: Serving, submit: Any
) -> None:
    serving.stop()
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "offline")
    serving.start()
    public_id = submit("while the page was away")
    expect(light).to_have_attribute("data-state", "live", timeout=60_000)
    expect(row(page, public_id)).to_be_visible()


def test_after_a_loss_of_the_network_it_is_live_again(page: Page) -> None:
    light = page.locator("#connection")
    expect(light).to_have_attribute("data-state", "live")
    page.context.set_offline(True)
    expect(light).to_have_attribute("data-state", "offline")
    page.context.set_offline(False)
    expect(light).to_have_attribute("data-state", "live")


def test_the_keys_work_and_are_silent_while_typing(page: Page) -> None:
    page.keyboard.press("j")
    expect(page.locator(".row-link").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.keyboard.press("/")
    search = page.get_by_label("Search or filter")
    expect(search).to_be_focused()
    page.keyboard.type("n?/j")
    expect(search).to_have_value("n?/j")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=n*")


def test_the_search_box_completes_a_term_by_keyboard(page: Page) -> None:
    box = page.get_by_role("combobox", name="Search or filter")
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    page.keyboard.press("/")
    page.keyboard.type("sunset -stat")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "search-completion-0")
    page.keyboard.press("Enter")
    expect(box).to_have_value("sunset -status:")
    expect(options).to_have_count(10)  # it goes on with the values
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_be_focused()
    page.keyboard.type("fail")
    options.filter(has_text="failed").click()
    expect(box).to_have_value("sunset -status:failed ")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=sunset*failed*")
    expect(page.get_by_role("list", name="Filters").get_by_role("listitem")).to_have_count(3)


def test_a_chosen_theme_is_kept(page: Page) -> None:
    switch = page.locator(".header-inner > [data-theme-switch]")
    switch.click()
    switch.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 22)"


@pytest.mark.parametrize("width", [390, 768, 1000, 1600])
def test_no_page_scrolls_sideways(page: Page, serving: Serving, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in (
        "/requests/",
        "/requests/?q=status:failed+zzz",
        "/settings/",
        "/accounts/password/change/",
        "/x",
    ):
        page.goto(serving.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_list_works_without_javascript(
    window: Browser, cookies: Any, serving: Serving, submit: Any
) -> None:
    context = window.new_context(storage_state=cookies, java_script_enabled=False)
    page = context.new_page()
    public_id = submit("plain", "sandbox/patient", seconds=600)
    page.goto(f"{serving.url}/requests/")
    page.get_by_label("Search or filter").fill("plain")
    page.get_by_label("Search or filter").press("Enter")
    expect(page.locator("tr.row")).to_have_count(1)
    page.get_by_text("Endpoint", exact=True).first.click()
    page.get_by_role("link", name="sandbox/patient").first.click()
    expect(page.get_by_label("Search or filter")).to_have_value("endpoint:sandbox/patient plain")
    row(page, public_id).get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("Cancel"))).not_to_have_count(0)
    context.close()
