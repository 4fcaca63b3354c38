"""The realtime page in a real browser: against the sandbox, and against a scripted socket for the rest."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.realtime_peer import RECORD, Peer, connect, lines, panel, state
from tests.browser.workspace import until

pytestmark = pytest.mark.browser

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c626001"
    "000000ffff03000006000557bfabd40000000049454e44ae426082"
)


def send(page: Page, value: object) -> None:
    panel(page).get_by_label("Message, JSON").fill(
        value if isinstance(value, str) else json.dumps(value)
    )
    panel(page).get_by_role("button", name="Send", exact=True).click()


# --- against the sandbox ------------------------------------------------------------------------


def test_a_message_is_sent_answered_paired_and_recorded(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    connect(page)
    panel(page).get_by_label("Message, JSON").fill('{"message": "hallo", "number": 21}')
    page.keyboard.press("Control+Enter")
    expect(lines(page)).to_have_count(2)
    expect(lines(page).nth(0).get_by_role("img", name="sent")).to_be_visible()
    expect(lines(page).nth(1)).to_contain_text('"doubled":42')
    expect(lines(page).nth(1).locator(".frame-rtt")).to_have_text(re.compile(r"[\d.]+ m?s"))
    lines(page).nth(1).click()
    expect(panel(page).locator(".frame-title")).to_contain_text("answers #1 after")
    expect(panel(page).locator(".json-tree")).to_contain_text('message: "hallo"')
    panel(page).get_by_role("button", name="Disconnect").click()
    expect(panel(page).locator(".session-ending")).to_have_class(re.compile("notice-info"))
    expect(page.locator("#announcer")).to_have_text(re.compile("The session ended"))
    record = open_page(
        panel(page).get_by_role("link", name="Open the record").get_attribute("href")
    )
    expect(record.locator("#part-head .badge")).to_have_text("completed")
    expect(record.locator(".frame")).to_have_count(2)
    expect(record.locator(".frame-rtt").nth(1)).to_have_text(re.compile(r"[\d.]+ m?s"))
    record.locator(".frame").nth(0).click()
    record.get_by_role("button", name="answered by #2 after").click()
    expect(record.locator(".frame-title")).to_contain_text("Message 2, received")
    record.get_by_role("link", name="Connect again").click()
    expect(panel(record).get_by_label("Endpoint")).to_have_value("sandbox/echo")


def test_a_picture_is_sent_comes_back_and_can_be_seen_and_read_as_bytes(
    open_page: OpenPage,
) -> None:
    page = open_page("/realtime/")
    connect(page)
    panel(page).locator("[data-file]").set_input_files(
        files=[{"name": 'dot "1".png', "mimeType": "image/png", "buffer": PNG}]
    )
    expect(panel(page).get_by_label("Message, JSON")).to_have_value(re.compile(r"\$file"))
    panel(page).get_by_role("button", name="Send", exact=True).click()
    expect(lines(page)).to_have_count(2)
    lines(page).nth(1).click()
    picture = panel(page).locator(".frame-detail img")
    expect(picture).to_be_visible()
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert picture.evaluate(width) == 1
    panel(page).get_by_role("button", name="Bytes", exact=True).click()
    expect(panel(page).locator(".hex")).to_contain_text("IHDR")


def test_an_error_of_the_app_ends_it_in_words_and_one_can_connect_again(
    open_page: OpenPage,
) -> None:
    page = open_page("/realtime/")
    connect(page)
    send(page, {"error": "no such lighthouse"})
    ending = panel(page).locator(".session-ending")
    expect(ending).to_have_class(re.compile("notice-error"))
    expect(ending).to_contain_text("no such lighthouse")
    expect(panel(page).locator(".frame-is-error")).to_contain_text("x-fal-error INTERNAL_ERROR")
    expect(panel(page).get_by_role("button", name="Send", exact=True)).to_be_disabled()
    ending.get_by_role("button", name="Connect again").click()
    expect(state(page)).to_have_text("open")
    expect(lines(page)).to_have_count(0)


def test_an_endpoint_without_realtime_is_refused_in_words(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    panel(page).get_by_label("Endpoint").fill("sandbox/strict")
    panel(page).get_by_role("button", name="Connect", exact=True).click()
    ending = panel(page).locator(".session-ending")
    expect(ending).to_have_class(re.compile("notice-error"))
    expect(ending).to_contain_text("403")


def test_sessions_stand_side_by_side_each_with_its_own(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    connect(page)
    send(page, {"message": "first"})
    page.get_by_role("button", name="Another session").click()
    connect(page)
    expect(lines(page)).to_have_count(0)
    send(page, {"message": "second", "outputs": 2})
    expect(lines(page)).to_have_count(3)
    page.get_by_role("tab").first.click()
    expect(lines(page)).to_have_count(2)
    expect(lines(page).first).to_contain_text("first")
    page.get_by_role("button", name="Close this session").first.click()
    dialog = page.get_by_role("dialog", name="End this session?")
    dialog.get_by_role("button", name="Back").click()
    expect(page.get_by_role("tab")).to_have_count(2)
    page.get_by_role("button", name="Close this session").first.click()
    dialog.get_by_role("button", name="End it").click()
    expect(page.get_by_role("tab")).to_have_count(1)
    expect(state(page)).to_have_text("open")


def test_a_teammate_watches_live_and_cannot_send(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    connect(page)
    send(page, {"message": "before"})
    expect(lines(page)).to_have_count(2)
    url = panel(page).get_by_role("link", name="Open the record").get_attribute("href")
    watcher = open_page(url)
    expect(watcher.locator(".frame")).to_have_count(2)
    send(page, {"message": "after"})
    expect(watcher.locator(".frame")).to_have_count(4)
    expect(watcher.get_by_text("You are watching")).to_be_visible()
    assert watcher.get_by_label("Message, JSON").count() == 0
    page.close()
    expect(watcher.locator("#part-head .badge")).to_have_text("completed")


def test_closing_from_the_request_page_closes_the_session(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    connect(page)
    url = panel(page).get_by_role("link", name="Open the record").get_attribute("href")
    other = open_page(url)
    other.get_by_role("button", name="End the session").click()
    expect(state(page)).to_have_text("ended")
    expect(other.locator("#part-head .badge")).to_have_text("cancelled")


def test_a_message_is_kept_loaded_replaced_deleted_and_brought_back(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    message = panel(page).get_by_label("Message, JSON")
    message.fill('{"seed": 12345678901234567890}')
    kept = panel(page).locator(".kept")
    kept.get_by_label("Name for the message").fill("my seed")
    kept.get_by_role("button", name="Save this message").click()
    expect(kept).to_contain_text("Saved “my seed”.")
    message.fill("{")
    kept.get_by_label("Name for the message").fill("broken")
    kept.get_by_role("button", name="Save this message").click()
    expect(kept.get_by_role("alert")).to_contain_text("line 1, column 2")
    kept.get_by_role("button", name="my seed").first.click()
    expect(message).to_have_value('{"seed": 12345678901234567890}')
    kept.get_by_role("button", name="Delete").click()
    expect(kept).to_contain_text("Deleted “my seed”.")
    expect(kept.locator(".kept-load")).to_have_count(0)
    kept.get_by_role("button", name="Undo").click()
    expect(kept.locator(".kept-load")).to_have_count(1)


# --- against a scripted socket ------------------------------------------------------------------


def test_what_is_typed_is_sent_with_all_its_digits(scripted: Page, peer: Peer) -> None:
    raw: list[str] = []
    peer.sockets[-1].on_message(lambda text: raw.append(str(text)))
    send(scripted, '{"seed": 12345678901234567890, "x": 1.0e5}')
    expect(state(scripted)).to_have_text("open")
    value = '"value":{"seed": 12345678901234567890, "x": 1.0e5}'
    until(scripted, lambda: any(value in text for text in raw))


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,}', '{"image": {"$file": "gone.png"}}'])
def test_what_cannot_be_sent_is_not_sent_and_not_lost(
    scripted: Page, peer: Peer, text: str
) -> None:
    send(scripted, text)
    scripted.wait_for_timeout(100)
    assert peer.of_type("send") == []
    message = panel(scripted).get_by_label("Message, JSON")
    expect(message).to_have_value(text)
    expect(message).to_have_attribute("aria-invalid", "true")


def test_repeating_sends_until_it_is_stopped_and_never_after_a_reconnect(
    scripted: Page, peer: Peer
) -> None:
    panel(scripted).get_by_label("every").fill("20")
    panel(scripted).get_by_role("button", name="Repeat").click()
    until(scripted, lambda: len(peer.of_type("send")) >= 5)
    peer.say({"type": "ended", "kind": "normal", "code": 1000, "reason": "", "sentence": "Over.",
              "status": "completed"})  # fmt: skip
    expect(state(scripted)).to_have_text("ended")
    count = len(peer.of_type("send"))
    panel(scripted).get_by_role("button", name="Connect again").click()
    expect(state(scripted)).to_have_text("open")
    scripted.wait_for_timeout(150)
    assert len(peer.of_type("send")) == count


@pytest.mark.parametrize(
    ("kind", "look"),
    [("normal", "info"), ("timeout", "info"), ("disconnected", "info"), ("lost", "warning"),
     ("error", "error"), ("refused", "error")],
)  # fmt: skip
def test_every_ending_has_the_colour_it_deserves(
    scripted: Page, peer: Peer, kind: str, look: str
) -> None:
    peer.say({"type": "ended", "kind": kind, "code": 1012, "reason": "<b>why</b>",
              "sentence": "That was it.", "status": "failed"})  # fmt: skip
    ending = panel(scripted).locator(".session-ending")
    expect(ending).to_have_class(re.compile(f"notice-{look}"))
    expect(ending).to_contain_text("That was it.")
    expect(ending).to_contain_text("close code 1012, “<b>why</b>”")


@pytest.mark.parametrize(
    ("code", "words"), [(4401, "logged out"), (4403, "may not open"), (1011, "lost")]
)
def test_the_end_of_our_own_socket_is_told_in_words(
    scripted: Page, peer: Peer, code: int, words: str
) -> None:
    peer.sockets[-1].close(code=code)
    expect(panel(scripted).locator(".session-ending")).to_contain_text(words)
    expect(state(scripted)).to_have_text("ended")


def test_controls_are_shown_as_what_they_are(scripted: Page, peer: Peer) -> None:
    peer.frames(
        '{"type":"x-fal-message","action":"timing","timing":0.25}',
        '{"type":"x-fal-error","error":"TIMEOUT","reason":"no inputs"}',
        kind="control",
    )
    expect(lines(scripted).nth(0)).to_contain_text("x-fal-message: timing, 0.25 s")
    expect(lines(scripted).nth(1)).to_contain_text("x-fal-error TIMEOUT: no inputs")
    expect(lines(scripted).nth(1)).to_have_class(re.compile("frame-is-calm"))


def test_the_page_says_how_far_it_has_come_and_fills_gaps_from_the_record(
    scripted: Page, peer: Peer
) -> None:
    missing = [
        {"number": number, "offset_ms": 2, "direction": "in", "kind": "json", "event": "",
         "event_id": "", "data": str(number), "size": 1} for number in (2, 3)
    ]  # fmt: skip
    scripted.unroute_all()
    answers = [missing, []]
    scripted.route(
        f"**{RECORD}frames/?after=*",
        lambda route: route.fulfill(
            json={"frames": answers.pop(0) if answers else [], "last": 3, "ended": False}
        ),
    )
    peer.frames("1")
    peer.say({"type": "gap", "from": 1})
    expect(lines(scripted)).to_have_count(3)
    peer.frames("4", first=4)
    expect(lines(scripted)).to_have_count(4)
    numbers = panel(scripted).locator(".frame-number").all_text_contents()
    assert numbers == ["#1", "#2", "#3", "#4"]
    until(scripted, lambda: [one["number"] for one in peer.of_type("ack")][-1:] == [4])


def test_the_view_is_paused_filtered_cleared_and_capped(scripted: Page, peer: Peer) -> None:
    peer.frames(*['"plain"'] * 4, '"needle"')
    expect(lines(scripted)).to_have_count(5)
    panel(scripted).get_by_label("Find in the first lines").fill("NEEDLE")
    expect(lines(scripted)).to_have_count(1)
    expect(panel(scripted).locator("[data-note]")).to_have_text("1 of 5 match.")
    panel(scripted).get_by_label("Find in the first lines").fill("")
    panel(scripted).get_by_label("Direction").select_option("out")
    expect(lines(scripted)).to_have_count(0)
    panel(scripted).get_by_label("Direction").select_option("")
    panel(scripted).get_by_role("button", name="Pause").click()
    peer.frames("6", "7", first=6)
    expect(panel(scripted).get_by_role("button", name="Resume (+2)")).to_be_visible()
    expect(lines(scripted)).to_have_count(5)
    panel(scripted).get_by_role("button", name="Resume").click()
    expect(lines(scripted)).to_have_count(7)
    panel(scripted).get_by_role("button", name="Clear").click()
    expect(lines(scripted)).to_have_count(0)
    peer.frames(*["x"] * 1500, first=8)
    expect(lines(scripted)).to_have_count(1000)
    expect(panel(scripted).locator("[data-note]")).to_contain_text("newest 1,000 of 1,500")
    assert panel(scripted).locator(".frame-number").last.text_content() == "#1507"


def test_the_arrows_walk_through_the_messages(scripted: Page, peer: Peer) -> None:
    peer.frames('"one"', '"two"', '"three"')
    expect(lines(scripted)).to_have_count(3)
    panel(scripted).get_by_label("Messages, oldest first").focus()
    title = panel(scripted).locator(".frame-title")
    for key, number in (("ArrowDown", 1), ("ArrowDown", 2), ("End", 3), ("Home", 1)):
        scripted.keyboard.press(key)
        expect(title).to_contain_text(f"Message {number},")
        expect(lines(scripted).nth(number - 1)).to_be_focused()


def test_hostile_words_stay_words(scripted: Page, peer: Peer) -> None:
    hostile = '{"</script><img src=x onerror=alert(1)>": "<img src=x onerror=alert(2)>"}'
    peer.frames(hostile)
    lines(scripted).first.click()
    expect(panel(scripted).locator(".json-tree")).to_contain_text("alert(2)")
    peer.say({"type": "error", "message": hostile})
    expect(panel(scripted).locator("[data-notice]")).to_contain_text("alert(1)")
    assert scripted.locator("main img").count() == 0


def test_a_flood_of_messages_leaves_the_page_quick(scripted: Page, peer: Peer) -> None:
    text = json.dumps({"text": "wave " * 200})
    scripted.evaluate(
        """() => {
          window.longest = 0;
          new PerformanceObserver((list) => {
            for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
          }).observe({ type: "longtask" });
        }"""
    )
    for first in range(1, 10_001, 200):
        peer.frames(*[text] * 200, first=first)
    expect(panel(scripted).locator("[data-received-count]")).to_have_text("10,000")
    expect(lines(scripted)).to_have_count(1000)
    assert scripted.evaluate("window.longest") < 1000  # ms, also on a busy machine; alone about 100


@pytest.mark.parametrize("width", [390, 768, 1600])
def test_it_fits_every_screen(open_page: OpenPage, peer: Peer, width: int) -> None:
    page = open_page("/realtime/", width=width, before=peer.play)
    connect(page)
    peer.frames(json.dumps({"text": "x" * 900}), '"' + "y" * 900 + '"')
    lines(page).first.click()
    expect(panel(page).locator(".frame-detail")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_javascript_it_says_what_is_missing(open_page: OpenPage) -> None:
    page = open_page("/realtime/", javascript=False)
    expect(page.locator("noscript .notice")).to_contain_text("A session needs JavaScript")


# --- options -----------------------------------------------------------------------------------


def test_options_and_own_headers_go_with_the_connection_and_come_back(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    panel(page).get_by_text("Options", exact=True).click()
    panel(page).get_by_label("Tags").fill("team=a")
    panel(page).get_by_label("Input and output at fal").select_option("no")
    panel(page).get_by_label("Own headers").fill("x-trace: 7\nnonsense")
    panel(page).get_by_label("Endpoint").fill("sandbox/echo")
    panel(page).get_by_role("button", name="Connect", exact=True).click()
    wrong = panel(page).get_by_label("Own headers").evaluate("field => field.validationMessage")
    assert wrong == "Line 2: write it as name: value."
    expect(state(page)).to_have_text("not connected")
    panel(page).get_by_label("Own headers").fill("x-trace: 7\nx-fal-no-retry: 1")
    connect(page)
    path = panel(page).get_by_role("link", name="Open the record").get_attribute("href")
    side = open_page(path).locator("#part-side")
    for name, value in {"X-Fal-Tags": "team=a", "X-Fal-Store-IO": "0", "x-trace": "7"}.items():
        expect(side).to_contain_text(re.compile(f"{name}\\s*{value}"))
    expect(side).to_contain_text("X-Fal-No-Retry")
    again = open_page(f"/realtime/?again={path.split('/')[2]}")
    expect(panel(again).get_by_label("Tags")).to_have_value("team=a")
    expect(panel(again).get_by_label("Own headers")).to_have_value(re.compile("x-trace: 7"))


def test_a_refused_option_is_told_in_words(open_page: OpenPage) -> None:
    page = open_page("/realtime/")
    panel(page).get_by_text("Options", exact=True).click()
    panel(page).get_by_label("Own headers").fill("authorization: Key x")
    panel(page).get_by_label("Endpoint").fill("sandbox/echo")
    panel(page).get_by_role("button", name="Connect", exact=True).click()
    expect(panel(page).locator(".session-ending")).to_contain_text("authorization cannot be set")
    expect(state(page)).to_have_text("ended")
