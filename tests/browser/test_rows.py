"""A row of the list under the mouse, and the way into the search box, in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_replay import recorded
from tests.browser.test_request_page import submit
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

PROMPT = "a lighthouse on a cliff, seen from the sea, in the evening, painted in oil"
PLACES = [".badge", ".row-summary", ".row-person", ".row-age time", ".row-took span", ".row-what"]


@pytest.fixture(scope="module")
def path() -> dict[str, str]:
    return {}


@pytest.fixture
def row(open_page: Any, path: dict[str, str]) -> Any:
    """An ended row of the list; its page's path is `path["of"]`."""
    if not path:
        path["of"] = submit(open_page, "sandbox/image", {"prompt": PROMPT})
    page: Page = open_page("/requests/")
    row = page.locator(f"#request-{path['of'].split('/')[-2]}")
    expect(row.locator(".badge")).to_have_text("completed")
    return row


def expect_open(page: Page, path: str) -> None:
    """Beside the list."""
    expect(page).to_have_url(re.compile(rf"/requests/\?peek={path.split('/')[-2]}$"))
    expect(page.locator(f"#peek [data-request='{path.split('/')[-2]}']")).to_be_visible()


@pytest.mark.parametrize("place", PLACES)
def test_a_click_anywhere_in_a_row_opens_it(row: Any, path: dict[str, str], place: str) -> None:
    row.locator(place).first.click()
    expect_open(row.page, path["of"])


def test_a_click_beside_the_words_opens_it_too(row: Any, path: dict[str, str]) -> None:
    row.locator(".row-actions").click(position={"x": 2, "y": 2})
    expect_open(row.page, path["of"])


@pytest.mark.parametrize("how", [{"modifiers": ["Control"]}, {"button": "middle"}], ids=str)
@pytest.mark.parametrize("place", [".badge", ".row-summary", ".row-link", ".row-age time"])
def test_a_middle_click_or_one_with_ctrl_opens_a_tab(
    row: Any, path: dict[str, str], place: str, how: dict[str, Any]
) -> None:
    page: Page = row.page
    with page.context.expect_page() as opened:
        row.locator(place).first.click(**how)
    opened.value.wait_for_url(f"**{path['of']}")
    assert page.url.endswith("/requests/")


@pytest.mark.parametrize("place", [".row-summary", ".row-person", ".badge", ".row-link"])
def test_text_can_be_selected_and_the_row_stays(row: Any, place: str) -> None:
    page: Page = row.page
    box = row.locator(place).bounding_box()
    y = box["y"] + box["height"] / 2
    # From right to left, and a link's own text from beside it: a drag that begins on it would move it.
    page.mouse.move(box["x"] + box["width"] + (3 if place == ".row-link" else -12), y)
    page.mouse.down()
    page.mouse.move(box["x"] + (24 if place == ".badge" else 2), y, steps=8)
    page.mouse.up()
    assert len(page.evaluate("getSelection().toString().trim()")) > 2
    page.wait_for_timeout(300)  # a navigation would have begun
    assert page.url.endswith("/requests/")


def test_what_has_a_meaning_of_its_own_keeps_it(row: Any) -> None:
    row.locator(".row-actions [data-key=e]").click()
    row.page.wait_for_url("**/requests/new/?again=*")


def test_a_click_on_an_action_that_sleeps_opens_nothing(row: Any) -> None:
    row.evaluate("row => row.querySelector('.row-actions').inert = true")
    box = row.locator(".row-actions [data-key=e]").bounding_box()
    row.page.mouse.click(box["x"] + 5, box["y"] + 5)
    row.page.wait_for_timeout(300)
    assert row.page.url.endswith("/requests/")


@pytest.mark.parametrize("place", [".badge", ".row-summary", ".row-age time", ".row-took span"])
def test_what_tells_more_on_hover_is_under_the_pointer(row: Any, place: str) -> None:
    box = row.locator(place).first.bounding_box()
    title = row.page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('[title]')?.title",
        [box["x"] + 4, box["y"] + box["height"] / 2],
    )
    assert title == row.locator(place).first.get_attribute("title")
    assert title


ERROR = "fal answered with 422: prompt names a person. Change the prompt and run it again."


def test_the_error_of_a_row_tells_all_of_it_can_be_selected_and_opens_the_row(
    open_page: Any, installation: Serving
) -> None:
    path = recorded(installation, "[]", mode="queue", status="failed", error=ERROR)
    page: Page = open_page("/requests/", width=1000)
    words = page.locator(f"#request-{path.split('/')[-2]} .row-error")
    box = words.bounding_box() or {}
    y = box["y"] + box["height"] / 2
    title = "([x, y]) => document.elementFromPoint(x, y).closest('[title]')?.title"
    assert page.evaluate(title, [box["x"] + 4, y]) == ERROR
    page.mouse.move(box["x"] + 120, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 1, y, steps=8)
    page.mouse.up()
    selected = page.evaluate("getSelection().toString().trim()")
    assert len(selected) > 5
    assert selected in ERROR
    page.wait_for_timeout(300)  # a navigation would have begun
    assert page.url.endswith("/requests/")
    page.mouse.click(box["x"] + 200, y)  # beside the selection; on it a click clears it
    expect_open(page, path)


def test_the_keyboard_opens_a_row_as_before(row: Any, path: dict[str, str]) -> None:
    row.locator(".row-link").focus()
    row.page.keyboard.press("Enter")
    expect_open(row.page, path["of"])


def test_without_scripts_the_whole_row_is_the_link(open_page: Any, row: Any, path: Any) -> None:
    page = open_page("/requests/", javascript=False)
    for place in (".badge", ".row-summary", ".row-took"):
        box = page.locator(f"#request-{path['of'].split('/')[-2]} {place}").bounding_box()
        page.mouse.click(box["x"] + 4, box["y"] + 4)
        page.wait_for_url(f"**{path['of']}")
        page.go_back()


# --- The search box --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "lighthouse"),
        ("status:completed", "status:completed lighthouse"),
        ("status:completed ", "status:completed lighthouse"),
        ("endpoint:sandbox/* cliff", "endpoint:sandbox/* cliff lighthouse"),
    ],
)
def test_a_word_typed_after_the_slash_never_joins_what_stood_there(
    open_page: Any, row: Any, before: str, after: str
) -> None:
    page = open_page(f"/requests/?q={before}")
    page.keyboard.press("/")
    page.keyboard.type("lighthouse")
    expect(page.get_by_label("Search or filter")).to_have_value(after)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=.*lighthouse"))
    expect(page.locator("tr.row")).not_to_have_count(0)
    expect(page.locator("#search-problems")).to_have_count(0)
    assert "last=" not in page.url


def test_going_to_the_box_and_away_changes_nothing(open_page: Any, row: Any) -> None:
    page = open_page("/requests/?q=status:completed")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search or filter")).to_have_value("status:completed")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_unknown_term_keeps_the_last_result_and_says_what_is_wrong(
    open_page: Any, row: Any, path: dict[str, str], javascript: bool
) -> None:
    page = open_page(f"/requests/?q=id:{path['of'].split('/')[-2][:13]}", javascript=javascript)
    expect(page.locator("tr.row")).to_have_count(1)
    for wrong in ("lighthousestatus:failed", "colour:red"):
        page.get_by_label("Search or filter").fill(wrong)
        page.get_by_label("Search or filter").press("Enter")
        expect(page.locator("#search-problems")).to_contain_text("There is no filter")
        expect(page.locator("tr.row")).to_have_count(1)
        expect(page.get_by_label("Search or filter")).to_have_value(wrong)
