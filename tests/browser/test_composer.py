"""What is typed is what is sent and kept, and a repeat that costs is never a slip of the finger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.realtime_peer import Peer, lines, panel

pytestmark = pytest.mark.browser


def choose(page: Page, endpoint: str) -> None:
    panel(page).get_by_label("Endpoint").fill(endpoint)
    panel(page).get_by_label("Endpoint").blur()
    kept = panel(page).locator(".kept")
    expect(kept.locator(".card-head")).to_contain_text(endpoint)
    expect(kept).to_contain_text("None for this endpoint yet")


def keep(page: Page, name: str, text: str) -> None:
    panel(page).get_by_label("Message, JSON").fill(text)
    panel(page).get_by_label("Name for the message").fill(name)
    panel(page).get_by_role("button", name="Save this message").click()
    expect(panel(page).locator(".kept-said")).to_contain_text(f"Saved “{name}”")


def test_a_message_kept_after_another_was_deleted_has_its_own_text(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    choose(page, "acme/kept-after")
    keep(page, "first", '{"old": "a \\"quoted\\" <b>&amp;"}')
    panel(page).locator(".kept").get_by_role("button", name="Delete").click()
    expect(panel(page).get_by_role("button", name="Undo")).to_be_visible()
    keep(page, "second", '{"new": 2}')
    panel(page).locator(".kept-load", has_text="second").click()
    expect(panel(page).get_by_label("Message, JSON")).to_have_value('{"new": 2}')
    panel(page).locator(".kept").get_by_role("button", name="Delete").click()
    panel(page).get_by_role("button", name="Undo").click()
    panel(page).locator(".kept-load", has_text="second").click()
    expect(panel(page).get_by_label("Message, JSON")).to_have_value('{"new": 2}')


def test_the_name_that_is_typed_stays_when_the_list_comes_anew(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    choose(page, "acme/one")
    field = panel(page).get_by_label("Name for the message")
    held: list[Route] = []
    page.route("**/realtime/messages/?endpoint_id=acme*two", lambda route: held.append(route))
    panel(page).get_by_label("Endpoint").fill("acme/two")
    with page.expect_request(re.compile("two")):
        field.click()
    field.press_sequentially("half")
    held[0].continue_()
    expect(panel(page).locator(".kept .card-head")).to_contain_text("acme/two")
    page.keyboard.type(" a name")
    expect(field).to_have_value("half a name")


def test_the_list_is_that_of_the_endpoint_that_was_typed_while_another_was_loaded(
    open_page: OpenPage,
) -> None:
    held: list[Route] = []
    page = open_page(
        "/realtime/?endpoint=acme/slow",
        before=lambda page: page.route(
            "**/messages/?endpoint_id=acme*slow", lambda route: held.append(route)
        ),
    )
    panel(page).get_by_label("Endpoint").fill("acme/typed")  # its field is not left
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(panel(page).locator(".kept .card-head")).to_contain_text("acme/typed")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_kept_message_stays_in_its_column(open_page: OpenPage, width: int) -> None:
    page = open_page("/realtime/", width=width)
    choose(page, f"acme/long-{width}")
    keep(page, "n" * 67, '{"message": "' + "x" * 200 + '"}')
    column = panel(page).locator(".session-columns > .stack")
    assert column.evaluate("one => one.scrollWidth <= one.clientWidth")
    panel(page).locator(".kept").get_by_role("button", name="Delete").click()
    expect(panel(page).locator(".kept-load")).to_have_count(0)


@pytest.mark.parametrize("every", ["", "0", "-5", "5", "10.5", "3000000000"])
def test_a_bad_interval_sends_nothing_and_says_what_is_a_good_one(
    scripted: Page, peer: Peer, every: str
) -> None:
    panel(scripted).get_by_label("Message, JSON").fill("{}")
    panel(scripted).get_by_label("every").fill(every)
    panel(scripted).get_by_role("button", name="Repeat").click()
    expect(panel(scripted).locator("[data-turns]")).to_contain_text("from 10 to 3,600,000")
    expect(panel(scripted).get_by_label("every")).to_have_value(every)
    panel(scripted).get_by_label("every").press("Enter")
    scripted.wait_for_timeout(100)
    assert peer.of_type("send") == []


def test_a_repeat_takes_a_new_interval_and_says_why_it_stopped(scripted: Page, peer: Peer) -> None:
    panel(scripted).get_by_label("Message, JSON").fill("{}")
    panel(scripted).get_by_label("every").fill("3000000")
    panel(scripted).get_by_role("button", name="Repeat").click()
    expect(panel(scripted).locator("[data-turns]")).to_have_text("1 sent")
    panel(scripted).get_by_label("every").fill("20")
    panel(scripted).get_by_label("every").blur()
    expect(panel(scripted).locator("[data-turns]")).to_have_text(re.compile(r"^\d{2,} sent"))
    panel(scripted).get_by_label("Message, JSON").fill("{")
    expect(panel(scripted).locator("[data-turns]")).to_contain_text(
        "then stopped: the message cannot be sent"
    )


def test_bytes_that_are_not_in_the_text_are_not_sent_as_words(scripted: Page, peer: Peer) -> None:
    shown = '{"image":{"$bytes_size":6301}}'
    peer.frames(shown, direction="out", kind="json")
    lines(scripted).first.click()
    panel(scripted).get_by_role("button", name="Edit and send").click()
    expect(panel(scripted).locator("[data-as]")).to_have_value("json")
    expect(panel(scripted).locator("[data-json-state]")).to_contain_text("attach the file again")
    panel(scripted).get_by_role("button", name="Send", exact=True).click()
    scripted.wait_for_timeout(100)
    assert peer.of_type("send") == []


@pytest.mark.parametrize(
    ("name", "media", "member"),
    [("a.png", "image/png", "image"), ("a.wav", "audio/wav", "audio"), ("a.zip", "", "file")],
)
def test_a_file_becomes_the_member_that_suits_it(
    scripted: Page, name: str, media: str, member: str
) -> None:
    panel(scripted).get_by_label("Message, JSON").fill('{"n": 1}')
    file = {"name": name, "mimeType": media, "buffer": b"x"}
    panel(scripted).locator("[data-file]").set_input_files(files=[file])
    expect(panel(scripted).locator("[data-json-state]")).to_have_text("valid JSON")
    expect(panel(scripted).get_by_label("Message, JSON")).to_have_value(
        f'{{"n": 1,\n  "{member}": {{"$file": "{name}"}}\n}}'
    )
