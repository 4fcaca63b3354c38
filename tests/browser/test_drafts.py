"""What was typed and not sent survives Back and reload, and belongs to one user and team."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.workspace import fill_input, made, made_path, show_json

pytestmark = pytest.mark.browser

NEW = "/requests/new/?endpoint=sandbox/echo"
TYPED = '{"message": "half a thought", "n": 7.50}'


def kept(page: Page) -> list[dict[str, Any]]:
    """The drafts in the browser's storage."""
    texts = page.evaluate("""() => Object.keys(localStorage)
        .filter((name) => name.startsWith("faldeck.draft.")).map((name) => localStorage.getItem(name))""")
    return [json.loads(text.split("\n", 1)[1]) for text in texts]


def type_input(page: Page, text: str = TYPED) -> None:
    fill_input(page, text)
    page.wait_for_function(
        """(text) => Object.keys(localStorage).some(
        (name) => localStorage.getItem(name).includes(JSON.stringify(text)))""",
        arg=text,
    )


def restored(page: Page) -> Any:
    return page.locator("#draft-restored")


def expect_typed(page: Page) -> None:
    expect(restored(page)).to_be_visible()
    assert page.input_value("#id_input") == TYPED


@pytest.mark.parametrize("way", ["reload", "back", "new tab", "closed tab"])
def test_what_was_typed_comes_back(open_page: Any, way: str) -> None:
    page = open_page(NEW)
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Own headers").fill("x-mine: 1")
    page.locator("[name=mode][value=stream]").check()
    page.get_by_label("Start timeout").fill("12.50")
    type_input(page)
    if way == "reload":
        page.reload()
    elif way == "back":
        page.goto("/requests/")
        page.go_back()
    else:
        other = page.context.new_page()
        if way == "closed tab":
            page.close()
        page = other
        page.goto(NEW)
    expect_typed(page)
    assert page.input_value("#id_headers") == "x-mine: 1"
    assert page.input_value("#id_start_timeout") == "12.50"
    assert page.locator("[name=mode][value=stream]").is_checked()
    expect(page.locator("#id_headers")).to_be_visible()
    expect(page.locator("#sent-code")).to_contain_text("half a thought")


def test_discard_puts_back_what_the_page_came_with_and_forgets(open_page: Any) -> None:
    page = open_page(NEW)
    fresh = page.input_value("#id_input")
    type_input(page)
    page.reload()
    restored(page).get_by_role("button", name="Discard").click()
    expect(restored(page)).to_be_hidden()
    assert page.input_value("#id_input") == fresh
    assert kept(page) == []
    page.reload()
    assert page.input_value("#id_input") == fresh
    expect(restored(page)).to_be_hidden()


def test_a_draft_belongs_to_its_endpoint(open_page: Any) -> None:
    page = open_page(NEW)
    type_input(page)
    page.goto("/requests/new/?endpoint=sandbox/image")
    expect(restored(page)).to_be_hidden()
    type_input(page, '{"prompt": "another endpoint"}')
    page.goto(NEW)
    expect_typed(page)
    page.goto("/requests/new/?endpoint=sandbox/slow")
    page.get_by_label("Endpoint").fill("sandbox/echo")
    page.get_by_label("Endpoint").blur()
    expect_typed(page)


def test_the_answer_to_a_part_of_the_form_is_not_taken_for_the_submits(open_page: Any) -> None:
    page = open_page(NEW)
    type_input(page)
    page.reload()
    with page.expect_response(re.compile("/requests/new/price/")):
        page.get_by_label("Endpoint").fill("sandbox/echoes")
    expect(page.locator("#price")).to_contain_text("Price unknown")
    expect_typed(page)
    type_input(page, TYPED + " ")
    assert [draft["token"] for draft in kept(page)] == [None]


def test_after_a_submit_nothing_is_kept(open_page: Any) -> None:
    page = open_page(NEW)
    type_input(page)
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    assert kept(page) == []
    page.reload()
    expect(restored(page)).to_be_hidden()


def test_a_submit_whose_answer_was_lost_is_the_same_request_when_it_is_sent_again(
    own_page: Any,
) -> None:
    page = own_page(NEW)
    words = "answer lost on the way"
    type_input(page, json.dumps({"message": words}))

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.fulfill(status=502, body="")
        else:
            route.continue_()

    page.route(re.compile("/requests/new/"), lose)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".toast-error")).to_be_visible()
    page.unroute_all()
    page.reload()
    expect(restored(page)).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(made(page)).to_have_count(1)
    page.goto(f'/requests/?q="{words}"')
    expect(page.locator("tr.row")).to_have_count(1)


@pytest.mark.parametrize("whose", ["user", "team"])
def test_another_user_or_team_on_the_same_browser_is_not_shown_it(
    own_page: Any, whose: str
) -> None:
    page = own_page(NEW)
    type_input(page)
    # The same page for somebody else: the scope is all that the scripts know of the person.
    page.route(re.compile(r"/requests/new/\?"), lambda route: as_another(route, whose))
    page.goto(NEW)
    expect(page.locator("#json-state")).to_have_text("valid JSON")
    expect(restored(page)).to_be_hidden()
    assert "half a thought" not in page.input_value("#id_input")
    page.unroute_all()
    page.goto(NEW)
    expect_typed(page)


def as_another(route: Route, whose: str) -> None:
    answer = route.fetch()
    body = re.sub(rf'data-{whose}="\d+"', f'data-{whose}="999999"', answer.text())
    assert "999999" in body
    route.fulfill(response=answer, body=body)


def test_the_number_and_the_size_of_drafts_are_bounded(open_page: Any) -> None:
    page = open_page(NEW)
    sizes = page.evaluate("""async () => {
        const { Draft } = await import("/static/js/lib/drafts.js");
        const total = () => Object.keys(localStorage).filter((name) => name.startsWith("faldeck.draft."))
            .map((name) => localStorage.getItem(name).length);
        for (let n = 0; n < 60; n += 1) new Draft("form").keep("a/b", { n });
        const many = total().length;
        const large = [];
        for (let n = 0; n < 8; n += 1) large.push(new Draft("form").keep("a/b", { text: "x".repeat(400_000) }));
        const tooLarge = new Draft("form").keep("a/b", { text: "x".repeat(600_000) });
        return { many, large, tooLarge, sum: total().reduce((one, other) => one + other, 0) };
    }""")
    assert sizes["many"] == 40
    assert sizes["large"] == [True] * 8
    assert sizes["tooLarge"] is False
    assert sizes["sum"] <= 2 * 1024 * 1024


FULL = "void (Storage.prototype.setItem = () => { throw new Error('full'); })"


def leaving_asks(page: Page) -> bool:
    """Whether the browser would ask before it leaves the page."""
    return bool(
        page.evaluate("""() => {
        const event = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(event);
        return event.defaultPrevented;
    }""")
    )


@pytest.mark.parametrize("is_kept", [True, False])
def test_leaving_warns_only_when_nothing_keeps_what_was_typed(
    open_page: Any, is_kept: bool
) -> None:
    page = open_page(NEW)
    if not is_kept:
        page.evaluate(FULL)
    show_json(page)
    page.locator("#id_input").click()
    page.keyboard.type(" ")  # a person was here: without a touch browsers never ask
    fill_input(page, TYPED)
    assert leaving_asks(page) is not is_kept
    fill_input(page, "{}")  # so that closing the page asks nothing


def test_a_page_that_starts_from_an_earlier_request_keeps_a_draft_of_its_own(
    open_page: Any,
) -> None:
    page = open_page(NEW)
    fill_input(page, '{"message": "earlier"}')
    page.get_by_role("button", name="Submit").click()
    again = "/requests/new/?again=" + made_path(page).split("/")[2]
    page.goto(again)
    expect(restored(page)).to_be_hidden()
    type_input(page, '{"message": "earlier, changed"}')
    page.goto(NEW)
    expect(restored(page)).to_be_hidden()
    page.goto(again)
    expect(restored(page)).to_be_visible()
    assert page.input_value("#id_input") == '{"message": "earlier, changed"}'


# --- realtime -------------------------------------------------------------------------------------


def message(page: Page) -> Any:
    return page.locator(".session:visible [name=text]")


def test_messages_of_several_sessions_come_back(open_page: Any) -> None:
    page = open_page("/realtime/")
    message(page).fill('{"first": 7.50}')
    page.get_by_role("button", name="Another session").click()
    message(page).fill('{"second": 1E2}')
    page.reload()
    expect(page.locator(".session-tab")).to_have_count(2)
    expect(message(page)).to_have_value('{"first": 7.50}')
    expect(page.locator(".session:visible [data-draft]")).to_contain_text("Draft restored")
    page.get_by_role("tab").nth(1).click()
    expect(message(page)).to_have_value('{"second": 1E2}')
    page.locator(".session:visible").get_by_role("button", name="Discard").click()
    page.reload()
    expect(page.locator(".session-tab")).to_have_count(1)


@pytest.mark.parametrize("is_kept", [True, False])
def test_leaving_the_realtime_page_warns_only_when_nothing_keeps_what_was_typed(
    open_page: Any, is_kept: bool
) -> None:
    page = open_page("/realtime/")
    if not is_kept:
        page.evaluate(FULL)
    fresh = message(page).input_value()
    assert not leaving_asks(page)
    message(page).fill('{"typed": 7.50}')
    page.get_by_role("button", name="Another session").click()  # the message is in a hidden tab too
    assert leaving_asks(page) is not is_kept
    assert len(kept(page)) == is_kept
    page.get_by_role("tab").first.click()
    message(page).fill(fresh)
    assert not leaving_asks(page)


def test_a_message_that_was_sent_is_no_draft(scripted: Page) -> None:
    message(scripted).fill('{"sent": true}')
    scripted.locator(".session:visible").get_by_role("button", name="Send").click()
    scripted.evaluate("window.dispatchEvent(new Event('pagehide'))")
    assert kept(scripted) == []
    message(scripted).fill('{"sent": "not yet"}')
    scripted.evaluate("window.dispatchEvent(new Event('pagehide'))")
    assert [draft["fields"]["text"] for draft in kept(scripted)] == ['{"sent": "not yet"}']
