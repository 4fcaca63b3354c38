"""The list of a session's messages in a real browser, against a scripted socket."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.realtime_peer import Peer, lines, panel

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
    scripted.wait_for_timeout(200)
    assert peer.of_type("ack")[-1]["number"] == 1503


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
