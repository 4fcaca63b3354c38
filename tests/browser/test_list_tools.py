"""A cell's menu, the order of columns, new rows in another order, and what the chips say of them, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.process.serving import Serving

pytestmark = pytest.mark.browser


PLACE = "element => JSON.stringify(element.getBoundingClientRect())"


@pytest.fixture(scope="module")
def send(installation: Serving) -> Any:
    """Submit one by the API."""
    token = installation.manage("create_token", "--user", "grace", "--team", "Navy")

    def post(text: str) -> str:
        reply = httpx.post(
            f"{installation.url}/api/v1/requests/",
            json={
                "endpoint_id": "sandbox/large",
                "input": {"kilobytes": 1, "note": text},
                "allow_duplicate": True,
            },
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        return str(reply.json()["id"])

    return post


def test_a_cell_filters_excludes_and_is_reached_by_keys(open_page: Any, send: Any) -> None:
    first = send("cells")
    page = open_page("/requests/?q=cells")
    row = page.locator(f"#request-{first}")
    expect(row).to_have_attribute("data-status", "completed")  # its last change replaces the row
    cell = row.locator(".row-person")
    before = row.evaluate(PLACE)
    cell.hover()
    button = cell.locator(".cell-more")
    expect(button).to_be_visible()
    assert row.evaluate(PLACE) == before
    button.click()
    menu = page.locator("#cell-menu")
    expect(menu.get_by_role("menuitem")).to_have_text(
        ["Only by:grace", "Without by:grace", "Copy grace"]
    )
    menu.get_by_text("Only by:grace").click()
    expect(page).to_have_url(re.compile(r"q=cells\+by%3Agrace"))
    page.locator(f"#request-{first} .row-link").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    more = page.locator(f"#request-{first} .row-endpoint .cell-more")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(menu.get_by_text("Without endpoint:sandbox/large")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"-endpoint%3Asandbox%2Flarge"))
    expect(page.locator("h2", has_text="No request matches")).to_be_visible()


@pytest.fixture
def own_table(installation: Serving) -> Iterator[None]:
    """The user's choice of columns is forgotten after the test."""
    yield
    code = "from requests_app.models import ListPreference as P; P.objects.update(columns=[])"
    installation.manage("shell", "-v", "0", "-c", code)


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_a_column_is_moved_by_keys_and_the_focus_stays(
    open_page: Any, send: Any, own_table: None, javascript: bool
) -> None:
    send("columns")
    page = open_page("/requests/?q=columns&table=id.seed.cost", javascript=javascript)
    heads = page.locator("thead .row-more:visible")
    expect(heads).to_have_text(["Id", "Seed", "Cost"])
    page.locator(".table-menu > summary").click()
    up = page.get_by_role("button", name="Move Cost up")
    expect(page.get_by_role("button", name="Move Source up")).to_have_count(0)  # it is not shown
    up.press("Enter")
    if javascript:
        expect(up).to_be_focused()
        expect(page.locator("#announcer")).to_contain_text("Cost is column 2 of 3.")
        page.get_by_role("checkbox", name="Seed").press("Enter")  # as "Use"
    expect(heads).to_have_text(["Id", "Cost", "Seed"])
    if not javascript:
        expect(up).to_be_visible()
        expect(up).to_be_focused()


def test_a_pushed_row_has_its_cells_in_the_tables_order(open_page: Any, send: Any) -> None:
    page = open_page("/requests/?table=cost.seed.id")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.wait_for_load_state("networkidle")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    public_id = send("ordered")
    row = page.locator(f"#request-{public_id}")
    expect(row).to_have_attribute("data-status", "completed")
    assert not [url for url in fetched if "/requests/rows/" in url and public_id in url]
    expect(row.locator(".row-more:visible")).to_have_class(
        ["row-cost row-more", "row-seed row-more", "row-id row-more"]
    )
    classes = "row => [...row.cells].map((cell) => cell.classList[0])"
    assert row.evaluate(classes) == page.locator("thead tr").evaluate(classes)


def test_in_another_order_new_rows_wait_for_a_reload_and_chips_tell(
    open_page: Any, send: Any
) -> None:
    send("sorted")
    page = open_page("/requests/?q=sorted&sort=oldest")
    page.wait_for_load_state("networkidle")
    second = send("sorted")
    pill = page.locator("#new-rows")
    expect(pill).to_have_text("+1 new")
    expect(page.locator(f"#request-{second}")).to_have_count(0)
    chip = page.locator("#counts .chip").first
    expect(chip.locator(".chip-delta")).to_have_text("+1, 1 more since the page was opened")
    pill.click()
    expect(page.locator(f"#request-{second}")).to_be_visible()
    expect(page.locator("#counts .chip-delta")).to_have_count(0)


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_on_a_phone_the_menus_are_folded_and_a_request_takes_two_lines(
    open_page: Any, send: Any, javascript: bool
) -> None:
    public_id = send("thumb")
    page = open_page("/requests/?q=thumb", width=390, javascript=javascript)
    sort = page.locator(".filters summary", has_text="Sort")
    expect(sort).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    expect(sort).to_be_visible()
    sort.click()
    expect(page.get_by_role("link", name="Most expensive first")).to_be_visible()
    first, second = ("status", "endpoint", "age"), ("what", "actions")
    middle = page.locator(f"#request-{public_id}").evaluate(
        """(row, names) => Object.fromEntries(names.map((name) => {
            const box = row.querySelector(`.row-${name}`).getBoundingClientRect();
            return [name, box.y + box.height / 2];
        }))""",
        [*first, *second],
    )  # at once: a row that moves on is replaced
    assert max(middle[name] for name in first) < min(middle[name] for name in second)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
