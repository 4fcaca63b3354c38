"""The request page in a real browser: live, truthful, complete, and inert."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SITE, held
from tests.browser.workspace import fill_input, made_path

pytestmark = pytest.mark.browser

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


def submit(
    open_page: Any, endpoint: str, value: object, mode: str = "queue", *, unchecked: bool = False
) -> str:
    """The path of a new request's page. `unchecked`: the schema refuses the input, and it is sent all the same."""
    page: Page = open_page("/requests/new/")
    page.locator("#id_endpoint_id").fill(endpoint)
    page.locator(f"[name=mode][value={mode}]").check()
    fill_input(page, value)
    page.get_by_role("button", name="Submit").click()
    if unchecked:
        page.get_by_label("Send it all the same").check()
        page.get_by_role("button", name="Submit").click()
    return made_path(page)


def badge(page: Page) -> Any:
    return page.locator("#part-head .badge")


def numbers(page: Page) -> list[int]:
    return [int(text[1:]) for text in page.locator(".frame-number").all_text_contents()]


def test_a_request_is_followed_from_its_logs_to_its_output(open_page: Any, faults: Any) -> None:
    faults(held("sandbox/slow"))
    page = open_page(submit(open_page, "sandbox/slow", {"steps": 8, "seconds_per_step": 0.1}))
    expect(page.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#log-lines .log-message").first).to_be_visible()
    # The newest lines are in sight without scrolling: the log itself is below the room for the output.
    newest = page.locator("#newest-lines .log-message")
    expect(newest).to_have_count(9)
    assert newest.all_text_contents() == page.locator("#log-lines .log-message").all_text_contents()
    assert newest.last.evaluate("line => line.getBoundingClientRect().bottom < innerHeight")
    faults()
    expect(badge(page)).to_have_text("completed")
    expect(newest).to_have_count(0)
    expect(page.locator("#panel-input .json-tree")).to_contain_text("seconds_per_step: 0.1")
    expect(page.locator("#panel-output .json-tree")).to_contain_text("steps: 8")
    expect(page.locator("#announcer")).to_have_text(re.compile("completed"))
    page.get_by_role("tab", name="Logs").click()
    # An end that came by webhook is before its last lines.
    expect(page.locator(".log-message").nth(8)).to_be_visible()
    messages = page.locator(".log-message").all_text_contents()
    assert len(messages) == len(set(messages))
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("tab", name="curl").click()
    expect(page.locator("#sent-code")).to_contain_text("/queue/sandbox/slow")
    expect(page.locator("#sent-code")).to_contain_text('"seconds_per_step": 0.1')


def test_a_line_that_is_stored_while_the_page_fetches_is_shown(page: Page) -> None:
    """The news of it comes last, and names the version that the page has by then."""
    script = """async ([site]) => {
      document.body.innerHTML = `<div id="announcer"></div><div id="page" data-live="/live/" data-logs="/logs/"
        data-request="r"><header id="part-head" data-part data-version="1" data-status="queued" data-ended="false"></header>
        <ol id="log-lines"></ol><p id="no-logs"></p><button id="follow-logs"></button></div>`;
      const { RequestPage } = await import(`${site}/request/detail.js`);
      const { live } = await import(`${site}/lib/socket.js`);
      live.watchRequest = () => {};
      new RequestPage(document.getElementById("page"), { on() {} }, new AbortController().signal);
      document.dispatchEvent(new CustomEvent("request:acted", { detail: { id: "r" } }));
    }"""
    state = {"stored": False}

    def answer(route: Any) -> None:
        is_stored, state["stored"] = state["stored"], True  # just after the first answer
        version = 2 if is_stored else 1
        line = (
            '<li data-line="1">Loading</li>' if is_stored and "after=0" in route.request.url else ""
        )
        head = f'<header id="part-head" data-part data-version="{version}" data-ended="false"></header>'
        body = line if "/logs/" in route.request.url else head
        route.fulfill(body=body, content_type="text/html")

    fetches = re.compile("/(live|logs)/")
    page.route(fetches, answer)
    page.evaluate(script, [SITE])
    expect(page.locator("#log-lines li")).to_have_text("Loading")
    page.unroute(fetches)


def test_a_chosen_tab_stays_when_the_request_ends(open_page: Any, faults: Any) -> None:
    faults(held("sandbox/slow"))
    page = open_page(submit(open_page, "sandbox/slow", {"steps": 2, "seconds_per_step": 0}))
    page.get_by_role("tab", name="Raw").click()
    faults()
    expect(badge(page)).to_have_text("completed")
    expect(page.get_by_role("tab", name="Raw")).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(page.get_by_role("tab", name="Raw")).to_have_attribute("aria-selected", "true")


def test_without_the_socket_the_page_asks_instead(open_page: Any, faults: Any) -> None:
    faults(held("sandbox/slow"))
    path = submit(open_page, "sandbox/slow", {"steps": 3, "seconds_per_step": 0})
    page = open_page(
        path, before=lambda page: page.route_web_socket("**/ws/", lambda socket: socket.close())
    )
    expect(page.locator("#connection")).to_have_attribute("data-state", "polling")
    faults()
    expect(badge(page)).to_have_text("completed")
    expect(page.locator("#panel-output .json-tree")).to_contain_text("steps: 3")


def test_a_stream_is_complete_for_the_first_the_second_and_the_late_viewer(open_page: Any) -> None:
    words = {"words": 40, "delay_s": 0.05}
    path = submit(open_page, "sandbox/text", words, mode="stream")
    first, second = open_page(path), open_page(path)
    expect(first.locator("#stream-text")).not_to_be_empty()
    first.reload()
    for page in (first, second):
        expect(badge(page)).to_have_text("completed")
    late = open_page(path)
    shown = []
    for page in (first, second, late):
        expect(page.locator("#stream-events")).to_have_text("41")
        page.get_by_role("tab", name="Events").click()
        assert numbers(page) == list(range(1, 42))
        shown.append(page.locator("#stream-text").text_content())
    assert len(set(shown)) == 1
    assert len((shown[0] or "").split()) == 40


def test_pieces_of_text_are_joined_and_the_way_can_be_chosen_and_is_kept(open_page: Any) -> None:
    words = {"words": 12, "delay_s": 0.01, "mode": "delta"}
    page = open_page(submit(open_page, "sandbox/text", words, mode="stream"))
    expect(page.locator("#stream-text")).to_have_text(re.compile(r"^(\w+ ){11}\w+\.$"))
    page.get_by_label("How the text of the events is joined").select_option("cumulative")
    expect(page.locator("#stream-text")).to_have_text(".")
    page.reload()
    expect(page.locator("#stream-text")).to_have_text(".")
    expect(page.locator("#stream-events")).to_have_text("13")


def test_an_event_is_shown_in_full_beside_the_list(open_page: Any) -> None:
    path = submit(open_page, "sandbox/text", {"words": 3, "delay_s": 0.01}, mode="stream")
    page = open_page(f"{path}?tab=events")
    page.locator(".frame").nth(1).click()
    expect(page.locator(".frame-title")).to_contain_text("Event 2")
    expect(page.locator(".frame-body .json-tree")).to_contain_text("partial: true")
    page.keyboard.press("Escape")
    expect(page.locator(".frame-detail")).to_be_hidden()
    expect(page.locator(".frame[aria-current]")).to_have_count(0)
    page.get_by_label("Moment of the record").fill("0")
    page.get_by_role("button", name="One on").click()
    page.get_by_role("button", name="Bytes").click()
    page.keyboard.press("Escape")
    expect(page.locator(".frame-detail")).to_be_hidden()
    expect(page.locator("[data-list]")).to_be_focused()


def test_what_fal_says_instead_of_a_stream_is_named_so(open_page: Any) -> None:
    page = open_page(
        submit(open_page, "sandbox/strict", {"num_images": 9}, mode="stream", unchecked=True)
    )
    expect(badge(page)).to_have_text("failed")
    expect(page.get_by_role("heading", name="fal's reply")).to_be_visible()
    expect(page.locator("#stream-empty").get_by_text("Waiting")).to_be_hidden()
    expect(page.get_by_role("heading", name="The last event")).to_have_count(0)


def test_stopping_a_stream_ends_it_and_says_what_it_does(open_page: Any) -> None:
    words = {"words": 2000, "delay_s": 0.1}
    page = open_page(submit(open_page, "sandbox/text", words, mode="stream"))
    expect(page.get_by_text("Stop hangs up; fal then cancels the work.")).to_be_visible()
    expect(page.locator("#stream-text")).not_to_be_empty()
    page.get_by_role("button", name="Stop").click()
    expect(badge(page)).to_have_text("cancelled")
    expect(page.get_by_text("Stop hangs up; fal then cancels the work.")).to_be_hidden()


def test_cancelled_is_shown_when_fal_says_so(open_page: Any) -> None:
    page = open_page(submit(open_page, "sandbox/patient", {"seconds": 600}))
    expect(badge(page)).to_have_text("in progress")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#toasts")).to_contain_text("when fal says so")
    expect(badge(page)).to_have_text("cancelled")


def test_a_refused_input_leads_with_the_field_to_mend(open_page: Any) -> None:
    page = open_page(
        submit(
            open_page, "sandbox/strict", {"prompt": "a lighthouse", "num_images": 9}, unchecked=True
        )
    )
    expect(page.locator(".explanation-yours")).to_contain_text("num_images")
    page.get_by_role("link", name="Edit and run").click()
    assert '"num_images": 9' in page.input_value("#id_input")


def test_running_again_asks_first_and_leads_to_the_new_request(open_page: Any) -> None:
    path = submit(open_page, "sandbox/echo", {"message": "again"}, mode="run")
    page = open_page(path)
    expect(badge(page)).to_have_text("completed")
    page.get_by_role("button", name="Run again").click()
    dialog = page.get_by_role("dialog", name="Run this again?")
    dialog.get_by_role("button", name="Back").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Run again").click()
    dialog.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: path not in url)
    expect(page.get_by_text("again of")).to_be_visible()
    expect(badge(page)).to_have_text("completed")


def test_a_picture_comes_first(open_page: Any) -> None:
    page = open_page(submit(open_page, "sandbox/image", {"prompt": "a lighthouse", "seed": 1}))
    picture = page.locator(".medium img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_hostile_words_stay_words(open_page: Any) -> None:
    path = submit(open_page, "sandbox/echo", {"message": HOSTILE, HOSTILE: HOSTILE}, mode="run")
    page = open_page(path)
    expect(page.locator("#panel-output .json-tree")).to_contain_text("alert(1)")
    for name in ("Logs", "Events", "Webhooks", "Raw"):
        page.get_by_role("tab", name=name).click()
    assert page.locator("main img, main script:not(#option-table)").count() == 0


@pytest.mark.parametrize("width", [390, 768, 1600])
def test_it_fits_every_screen(open_page: Any, width: int) -> None:
    path = submit(open_page, "sandbox/echo", {"message": "x" * 900}, mode="run")
    page = open_page(path, width=width)
    expect(badge(page)).to_have_text("completed")
    for name in ("Logs", "Events", "Webhooks", "Raw"):
        page.get_by_role("tab", name=name).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_everything_can_be_read(open_page: Any) -> None:
    path = submit(open_page, "sandbox/echo", {"message": "plain"}, mode="run")
    expect(badge(open_page(path))).to_have_text("completed")
    page = open_page(path, javascript=False)
    expect(page.locator("#json-output")).to_contain_text("plain")
    page.get_by_role("tab", name="Raw").click()
    expect(page.get_by_text("fal's request id")).to_be_visible()
    expect(page.get_by_role("link", name="Edit and run")).to_be_visible()
