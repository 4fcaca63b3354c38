"""The new-request form in a real browser: nothing typed is lost, nothing is sent twice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.workspace import fill_input, made, made_path

pytestmark = pytest.mark.browser

NEW = "/requests/new/?endpoint=sandbox/echo"


def test_format_and_submit_keep_every_digit_and_escape(open_page: Any) -> None:
    page = open_page(NEW)
    typed = r'{"seed":9007199254740993,"cost":7.50,"big":[1E2,{}],"f":0.1000000000000000055,"s":"\u00e9"}'
    laid_out = typed.replace("{}", "@").replace(",", ",\n  ").replace(":", ": ")
    laid_out = laid_out.replace("{", "{\n  ").replace("[1E2,\n  @]", "[\n    1E2,\n    {}\n  ]")
    laid_out = laid_out[:-1] + "\n}"
    fill_input(page, typed)
    page.get_by_role("button", name="Format").click()
    assert page.input_value("#id_input") == laid_out
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    page.goto(made_path(page))
    assert page.locator("#json-input").text_content() == laid_out
    tree = page.locator("#panel-input .json-tree")
    for literal in ["9007199254740993", "7.50", "1E2", "0.1000000000000000055"]:
        expect(tree.get_by_text(literal, exact=True)).to_be_visible()


def test_an_endpoint_brings_its_example_along_until_an_input_is_typed(open_page: Any) -> None:
    page = open_page("/requests/new/")
    page.get_by_label("Endpoint").fill("sandbox/text")
    assert "lighthouses" in page.input_value("#id_input")
    assert page.locator("[name=mode][value=stream]").is_checked()
    page.get_by_label("Endpoint").fill("sandbox/echo")
    assert '"hello"' in page.input_value("#id_input")
    fill_input(page, {"message": "mine"})
    page.get_by_label("Endpoint").fill("sandbox/image")
    assert page.input_value("#id_input") == '{"message": "mine"}'


def test_a_mode_that_was_chosen_stays_whatever_the_endpoint_s_example_runs_in(
    open_page: Any,
) -> None:
    page = open_page("/requests/new/")
    page.locator("[name=mode][value=run]").check()
    page.get_by_label("Endpoint").fill("sandbox/text")
    assert "lighthouses" in page.input_value("#id_input")
    assert page.locator("[name=mode][value=run]").is_checked()


def test_ctrl_enter_submits_from_anywhere_and_the_result_is_in_sight(open_page: Any) -> None:
    page = open_page(NEW)
    page.get_by_role("heading", name="New request").click()
    page.keyboard.press("Control+Enter")
    expect(made(page).locator(".badge")).to_be_in_viewport()


def test_a_double_click_makes_one_request(open_page: Any) -> None:
    page = open_page(NEW)
    fill_input(page, {"message": "one per double click"})
    page.get_by_role("button", name="Submit").dblclick()
    expect(made(page)).to_have_count(1)
    page.goto("/requests/?q=%22one+per+double+click%22")
    expect(page.locator("tr.row")).to_have_count(1)


def test_a_post_that_is_sent_again_makes_one_request(open_page: Any) -> None:
    page = open_page(NEW)
    fill_input(page, {"message": "sent again by the network"})

    def twice(route: Route) -> None:
        route.fetch()  # the first answer is lost on the way
        route.continue_()

    page.route(
        "**/requests/new/", lambda route: twice(route) if is_post(route) else route.continue_()
    )
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    page.goto("/requests/?q=%22sent+again+by%22")
    expect(page.locator("tr.row")).to_have_count(1)


def is_post(route: Route) -> bool:
    return route.request.method == "POST"


def test_a_mistake_is_marked_where_it_is_and_nothing_typed_is_lost(open_page: Any) -> None:
    page = open_page(NEW)
    wrong = '{\n  "message": "a",\n  "number": tru\n}'
    fill_input(page, wrong)  # first: an id that is none has no view to choose
    page.locator("#id_endpoint_id").fill("nonsense")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Start timeout").fill("soon")
    page.get_by_label("Own headers").fill("x-mine: 1")
    expect(page.locator("#json-state")).to_have_text("Not JSON yet: line 3, column 13")
    expect(page.locator("#json-excerpt")).to_contain_text('"number": tru')
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#error-input")).to_contain_text("line 3, column 13")
    expect(page.locator("#error-endpoint_id")).to_contain_text("owner")
    expect(page.locator("#error-start_timeout")).to_contain_text("number of seconds")
    expect(page.locator("#id_endpoint_id")).to_be_focused()
    assert page.input_value("#id_input") == wrong
    assert page.input_value("#id_start_timeout") == "soon"
    assert page.input_value("#id_headers") == "x-mine: 1"
    page.get_by_role("button", name="Go there").click()
    assert page.evaluate("document.getElementById('id_input').selectionStart") == wrong.index("tru")
    expect(made(page)).to_have_count(0)
    page.locator("#id_endpoint_id").fill("sandbox/echo")
    page.get_by_label("Start timeout").fill("30")
    fill_input(page, {"message": "mended"})
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    expect(page.locator("#error-input")).to_be_hidden()
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_what_will_be_sent_follows_what_is_typed(open_page: Any) -> None:
    page = open_page(NEW)
    code = page.locator("#sent-code")
    fill_input(page, {"message": "shown"})
    expect(code).to_contain_text(re.compile(r"^POST \S+/run/sandbox/echo"))
    expect(code).to_contain_text("Authorization: Key $FAL_KEY")
    page.locator("[name=mode][value=queue]").check()
    expect(code).to_contain_text("/queue/sandbox/echo")
    page.get_by_text("Code", exact=True).click()
    page.get_by_role("tab", name="Python").click()
    expect(code).to_contain_text('"message": "shown"')
    page.get_by_role("tab", name="Python").press("ArrowRight")
    expect(code).to_contain_text("@fal-ai/client")
    expect(page.get_by_role("tab", name="JavaScript")).to_be_focused()


def test_without_javascript_the_form_works_too(open_page: Any) -> None:
    # What fal's document says is there by now: without scripts a page does not wait for it.
    expect(open_page(NEW).locator("#schema-view > *")).to_have_count(1)
    page = open_page(NEW, javascript=False)
    expect(page.locator("#sent")).to_be_hidden()
    fill_input(page, "{")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#error-input")).to_contain_text("line 1, column 2")
    assert page.input_value("#id_input") == "{"
    fill_input(page, {"message": "no scripts"})
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url(re.compile(r"/requests/[0-9a-f-]{36}/$"))
    expect(page.locator("h1")).to_have_text("sandbox/echo")


@pytest.mark.parametrize("width", [390, 768, 1600])
def test_it_fits_every_screen(open_page: Any, width: int) -> None:
    page = open_page(NEW, width=width)
    fill_input(page, {"message": "x" * 500})
    page.get_by_text("Options", exact=True).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
