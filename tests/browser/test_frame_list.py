"""The list of a session's messages in a real browser, against a scripted socket."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.realtime_peer import Peer, lines, panel, state
from tests.browser.workspace import until

pytestmark = pytest.mark.browser


def test_what_can_never_come_is_counted_and_the_page_goes_on(scripted: Page, peer: Peer) -> None:
    peer.frames('"one"')
    peer.say({"type": "missed", "from": 2, "to": 1500})
    peer.frames('"two"', first=1501)
    peer.say({"type": "missed", "from": 1502, "to": 1502})
    peer.frames('"three"', first=1503)
    expect(panel(scripted).locator(".frame-number")).to_have_text(["#1", "#1501", "#1503"])
    expect(panel(scripted).locator(".frame-hole")).to_have_text(
        ["1,499 messages were not shown.", "1 message was not shown."]
    )
    expect(panel(scripted).locator("[data-note]")).to_have_text("1,500 messages were not shown.")
    until(scripted, lambda: [one["number"] for one in peer.of_type("ack")][-1:] == [1503])


def test_what_can_never_come_waits_for_what_the_record_still_has(
    scripted: Page, peer: Peer
) -> None:
    peer.say({"type": "missed", "from": 3, "to": 5})
    peer.frames('"six"', first=6)
    scripted.wait_for_timeout(200)
    expect(lines(scripted)).to_have_count(0)
    peer.frames('"one"', '"two"')
    expect(panel(scripted).locator(".frame-number")).to_have_text(["#1", "#2", "#6"])
    expect(panel(scripted).locator(".frame-hole")).to_have_text("3 messages were not shown.")


def test_what_is_shown_while_paused_can_be_filtered(scripted: Page, peer: Peer) -> None:
    peer.frames(*['"plain"'] * 4, '"needle"')
    expect(lines(scripted)).to_have_count(5)
    panel(scripted).get_by_role("button", name="Pause").click()
    peer.frames(*['"needle"'] * 1500, first=6)  # more than are kept
    expect(panel(scripted).get_by_role("button", name="Resume (+1,500)")).to_be_visible()
    find = panel(scripted).get_by_label("Find in the first lines")
    find.fill("needle")
    expect(lines(scripted)).to_have_count(1)
    expect(panel(scripted).locator("[data-note]")).to_contain_text("1 of 5 match.")
    find.fill("")
    expect(lines(scripted)).to_have_count(5)
    panel(scripted).get_by_label("Direction").select_option("in")
    expect(lines(scripted)).to_have_count(5)
    panel(scripted).get_by_role("button", name="Resume").click()
    expect(lines(scripted)).to_have_count(1000)
    expect(panel(scripted).locator(".frame-number").last).to_have_text("#1505")


FIRST_VISIBLE = """(list) => {
  const top = list.getBoundingClientRect().top;
  const item = [...list.children].find((one) => one.getBoundingClientRect().bottom > top + 1);
  return item.querySelector(".frame-number").textContent;
}"""


# The scroll is heard with the next frame that is drawn.
SCROLLED_BACK = """(list) => new Promise((done) => {
  list.scrollTop = list.scrollHeight / 2;
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


def test_a_list_stands_still_while_somebody_reads_back(scripted: Page, peer: Peer) -> None:
    peer.frames(*['"x"'] * 1000)
    expect(lines(scripted)).to_have_count(1000)
    messages = panel(scripted).get_by_label("Messages, oldest first")
    messages.evaluate(SCROLLED_BACK)
    jump = panel(scripted).get_by_role("button", name="Jump to live")
    scripted.wait_for_timeout(500)  # what came before the scroll is written
    seen = messages.evaluate(FIRST_VISIBLE)
    for first in (1001, 1601, 2201):
        peer.frames(*['"y"'] * 600, first=first)
        expect(panel(scripted).locator("[data-received-count]")).to_have_text(f"{first + 599:,}")
        scripted.wait_for_timeout(200)
        assert messages.evaluate(FIRST_VISIBLE) == seen
    expect(lines(scripted)).to_have_count(1000)
    expect(panel(scripted).locator("[data-note]")).to_contain_text("while you read further back")
    jump.click()
    expect(panel(scripted).locator(".frame-number").last).to_have_text("#2800")
    expect(panel(scripted).locator(".frame-number").first).to_have_text("#1801")
    expect(lines(scripted).last).to_be_in_viewport()
    peer.frames('"on"', first=2801)
    expect(panel(scripted).locator(".frame-number").last).to_have_text("#2801")


def test_behind_a_full_record_it_says_what_the_record_has(scripted: Page, peer: Peer) -> None:
    note = panel(scripted).locator("[data-note]")
    peer.frames(*['"x"'] * 1200)
    expect(note).to_have_text("The newest 1,000 of 1,200. The record has all of them.")
    peer.say({"type": "capped", "message": "The record became full.", "frame": 1150})
    peer.frames(*['"x"'] * 100, first=1201)
    expect(note).to_have_text("The newest 1,000 of 1,300. The record has those up to #1150.")
    panel(scripted).get_by_label("Direction").select_option("out")
    expect(note).to_have_text("0 of 1,000 match. The record has those up to #1150.")


def test_what_was_chosen_is_forgotten_with_its_message(scripted: Page, peer: Peer) -> None:
    peer.frames('"one"', '"two"')
    lines(scripted).nth(1).click()
    expect(panel(scripted).locator(".frame-detail")).to_be_visible()
    panel(scripted).get_by_role("button", name="Clear").click()
    expect(panel(scripted).locator(".frame-detail")).to_be_hidden()
    peer.say({"type": "ended", "kind": "normal", "code": 1000, "reason": "", "sentence": "Over.",
              "status": "completed"})  # fmt: skip
    panel(scripted).get_by_role("button", name="Connect again").click()
    expect(state(scripted)).to_have_text("open")
    peer.frames('"one"', '"two"')
    expect(lines(scripted)).to_have_count(2)
    expect(panel(scripted).locator("[aria-current]")).to_have_count(0)
