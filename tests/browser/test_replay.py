"""The record of streams and sessions in a real browser: scrubbed, replayed, complete, and quick when long."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_request_page import badge, submit
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

# Makes a row and its frames as the recorder leaves them; `frames` is an expression.
RECORD = """
from django.contrib.auth.models import User
from django.utils import timezone
from requests_app.models import FalRequest, Frame, Team
import base64
import json
now = timezone.now()
row = FalRequest.objects.create(
    team=Team.objects.get(name="Navy"), person=User.objects.get(username="grace"),
    endpoint_id="acme/replayed", mode={mode!r}, input_text="{{}}", status={status!r},
    created_at=now, ended_at=now, **{columns!r})
usual = dict(request=row, offset_ms=0, size=0, data="")
frames = {frames}
Frame.objects.bulk_create(
    [Frame(**{{**usual, "number": n, "offset_ms": n * 10.0, **frame, "size": len(frame["data"])}})
     for n, frame in enumerate(frames, start=1)], batch_size=200)
print(row.public_id)
"""


def recorded(
    installation: Serving,
    frames: str,
    mode: str = "stream",
    status: str = "completed",
    **columns: Any,
) -> str:
    """The path of its page."""
    code = RECORD.format(frames=frames, mode=mode, status=status, columns=columns)
    printed = installation.manage("shell", "-v", "0", "-c", code)
    return f"/requests/{printed.splitlines()[-1]}/"


def where(page: Page) -> Any:
    return page.locator("#replay-where")


def lines(page: Page) -> Any:
    return page.locator(".frame")


# Changes in the page tell; an `expect` that waits has a thousand lines laid out at each look.
SAYS = """
  ([selector, words]) => new Promise((done) => {
    const place = document.querySelector(selector);
    const look = () => place.textContent.includes(words) && done(true);
    new MutationObserver(look).observe(place, { childList: true, characterData: true, subtree: true });
    setTimeout(() => done(false), 90_000);
    look();
  })
"""


@pytest.fixture(scope="module")
def session(installation: Serving) -> str:
    """Ten messages, 100 ms apart, the seventh after 2 s; the ninth is an error."""
    frames = [
        {"data": json.dumps({"n": n}), "kind": "msgpack", "direction": "in" if n % 2 else "out",
         "offset_ms": n * 100.0 + (2000 if n >= 7 else 0)} for n in range(1, 11)
    ]  # fmt: skip
    frames[8] |= {
        "data": '{"type":"x-fal-error","error":"BROKEN","reason":"x"}', "kind": "control",
    }  # fmt: skip
    return recorded(installation, repr(frames), mode="realtime")


def test_the_moment_is_chosen_on_the_time_line(open_page: OpenPage, session: str) -> None:
    page = open_page(f"{session}?tab=events")
    expect(lines(page)).to_have_count(10)
    expect(where(page)).to_have_text("3.0 s of 3.0 s, 10 of 10")
    slider = page.get_by_label("Moment of the record")
    slider.fill("450")
    expect(lines(page)).to_have_count(4)
    expect(where(page)).to_have_text("450 ms of 3.0 s, 4 of 10")
    expect(page.locator(".frame-title")).to_contain_text("Message 4, sent")
    page.get_by_role("button", name="To the end").click()
    expect(lines(page)).to_have_count(10)


def test_steps_and_jumps_lead_where_they_say(open_page: OpenPage, session: str) -> None:
    page = open_page(f"{session}?tab=events")
    page.get_by_role("button", name="Next error").click()
    expect(where(page)).to_contain_text("9 of 10")
    expect(page.locator(".frame-title")).to_contain_text("Message 9")
    page.get_by_role("button", name=re.compile("Longest gap, 2.1 s")).click()
    expect(where(page)).to_contain_text("7 of 10")
    page.get_by_role("button", name="One back").click()
    expect(where(page)).to_contain_text("6 of 10")
    page.get_by_role("button", name="One on").click()
    page.get_by_role("button", name="One on").click()
    expect(where(page)).to_contain_text("8 of 10")


TOGETHER = """[{"data": data, "offset_ms": 40.0} for data in
    ('{"output": "a"}', '{"error": "boom"}', '{"output": "a b"}', '{"output": "a b c"}', "[DONE]")]"""


def test_steps_and_jumps_tell_events_apart_that_came_together(
    open_page: OpenPage, installation: Serving
) -> None:
    page = open_page(f"{recorded(installation, TOGETHER)}?tab=events")
    expect(where(page)).to_contain_text("5 of 5")
    back, on = (page.get_by_role("button", name=f"One {way}") for way in ("back", "on"))
    for number in (4, 3, 2, 1, 1):
        back.click()
        expect(where(page)).to_contain_text(f"{number} of 5")
        expect(page.locator(".frame-title")).to_contain_text(f"Event {number},")
        expect(lines(page)).to_have_count(number)
    on.click()
    on.click()
    expect(where(page)).to_contain_text("3 of 5")
    page.get_by_role("button", name="Next error").click()
    expect(where(page)).to_contain_text("2 of 5")
    expect(page.locator(".frame-title")).to_contain_text("Event 2,")
    page.get_by_role("button", name="Play").click()
    expect(where(page)).to_contain_text("5 of 5")


@pytest.mark.parametrize(
    ("speed", "six_ms", "ten_ms"), [("1", 2600, 3100), ("4", 650, 800), ("max", 0, 100)]
)
def test_it_plays_at_the_chosen_speed(
    open_page: OpenPage, session: str, speed: str, six_ms: int, ten_ms: int
) -> None:
    """The clock of the page moves by hand. From the sixth message on there is silence for two seconds."""
    page = open_page(f"{session}?tab=events")
    page.get_by_label("Speed").select_option(speed)
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    page.get_by_role("button", name="Play").click()
    if six_ms:
        page.clock.run_for(six_ms)
        expect(where(page)).to_contain_text("6 of 10")
    page.clock.run_for(ten_ms - six_ms)
    expect(where(page)).to_contain_text("10 of 10")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(lines(page)).to_have_count(10)
    expect(page.locator(".frame-title")).to_contain_text("Message 10")
    page.clock.resume()


def test_playing_stops_where_it_is_told_to(open_page: OpenPage, session: str) -> None:
    page = open_page(f"{session}?tab=events")
    page.get_by_label("Speed").select_option("0.25")
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    expect(lines(page).first).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    assert lines(page).count() < 10
    stood = where(page).text_content()
    page.clock.run_for(20_000)
    assert where(page).text_content() == stood
    page.clock.resume()


def test_a_running_stream_is_followed_and_can_be_left_and_caught_again(open_page: OpenPage) -> None:
    path = submit(open_page, "sandbox/text", {"words": 5000, "delay_s": 0.1}, mode="stream")
    page = open_page(f"{path}?tab=events")
    expect(lines(page).nth(9)).to_be_visible()
    page.get_by_role("button", name="One back").click()
    stays = lines(page).count()
    page.wait_for_timeout(700)
    assert lines(page).count() == stays
    page.get_by_label("Speed").select_option("max")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Back to live")).to_be_hidden()
    grown = lines(page).count()
    expect(lines(page).nth(grown)).to_be_visible()
    page.get_by_role("button", name="One back").click()
    page.get_by_role("button", name="Back to live").click()
    expect(lines(page).nth(grown + 10)).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(badge(page)).to_have_text("cancelled")


def test_at_the_end_of_playing_the_end_is_shown(open_page: OpenPage, installation: Serving) -> None:
    columns = {"error_type": "interrupted", "error": "It ended."}
    frames = """[{"data": '{"output": "so far"}'}] * 5"""
    page = open_page(recorded(installation, frames, status="failed", **columns))
    words = page.locator(".explanation h2")
    page.get_by_role("button", name="One back").click()
    expect(words).to_be_hidden()
    page.get_by_role("button", name="Play").click()
    expect(words).to_be_visible()
    expect(page.get_by_role("button", name="To the end")).to_be_hidden()


IN_ITS_LIST = """() => {
  const row = document.querySelector(".frame[aria-current]")?.getBoundingClientRect();
  const list = document.querySelector("[data-list]").getBoundingClientRect();
  return row && row.top >= list.top - 1 && row.bottom <= list.bottom + 1;
}"""


def test_the_row_at_the_head_comes_into_view_and_nothing_ended_is_called_live(
    open_page: OpenPage, installation: Serving
) -> None:
    frames = """[{"data": '{"error": "boom"}' if n == 150 else "{}"} for n in range(200)]"""
    page = open_page(f"{recorded(installation, frames)}?tab=events")
    row, jump = page.locator(".frame[aria-current]"), page.locator("[data-jump]")
    expect(lines(page)).to_have_count(200)
    top = "list => { list.scrollTop = 0; return new Promise(requestAnimationFrame); }"
    for act, number in (
        (lambda: page.get_by_role("button", name="One back").click(), 199),
        (lambda: page.get_by_role("button", name="Next error").click(), 151),
        (lambda: page.get_by_label("Moment of the record").fill("1640"), 164),
        (lambda: page.get_by_role("button", name="To the end").click(), 200),
    ):
        page.locator("[data-list]").evaluate(top)
        act()
        expect(row.locator(".frame-number")).to_have_text(f"#{number}")
        page.wait_for_function(IN_ITS_LIST)
        expect(jump).to_be_hidden()
    page.locator("[data-list]").evaluate(top)
    page.get_by_label("Speed").select_option("16")
    page.get_by_role("button", name="Play").click()
    expect(where(page)).to_contain_text("200 of 200")
    page.wait_for_function(IN_ITS_LIST)


def test_the_counts_of_a_running_stream_agree_at_every_moment(open_page: OpenPage) -> None:
    watch = """
      window.seen = [];
      const look = () => {
        const where = document.getElementById("replay-where")?.textContent.split(" of ").at(-1);
        const events = document.getElementById("stream-events")?.textContent;
        if (where) window.seen.push([where, events]);
        requestAnimationFrame(look);
      };
      look();
    """
    page = open_page(
        submit(open_page, "sandbox/text", {"words": 5000, "delay_s": 0.1}, mode="stream"),
        before=lambda page: page.add_init_script(watch),
    )
    page.wait_for_function("() => new Set(window.seen.map(([where]) => where)).size > 20")
    page.get_by_role("button", name="Stop").click()
    expect(badge(page)).to_have_text("cancelled")
    seen = page.evaluate("window.seen")
    assert [pair for pair in seen if pair[0] != pair[1]] == []


def test_on_a_phone_the_cross_stands_beside_the_name(open_page: OpenPage, session: str) -> None:
    page = open_page(f"{session}?tab=events", width=390)
    lines(page).nth(8).click()
    title, cross = page.locator(".frame-title"), page.get_by_role("button", name="Close").first
    tops = [(part.bounding_box() or {})["y"] for part in (title, cross)]
    download = page.get_by_role("link", name="Download").first.bounding_box() or {}
    assert abs(tops[0] - tops[1]) < 16
    assert download["y"] > tops[1] + 16


@pytest.mark.long
@pytest.mark.timeout(300)  # a busy machine needs a minute to start
def test_ten_thousand_events_leave_the_page_quick(
    open_page: OpenPage, installation: Serving
) -> None:
    frames = """[{"data": json.dumps({"output": "word " * (n // 100)})} for n in range(10_000)]"""
    path = recorded(installation, frames)
    watch = """
      window.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
      }).observe({ type: "longtask" });
    """
    page = open_page(f"{path}?tab=events", before=lambda page: page.add_init_script(watch))
    assert page.evaluate(SAYS, ["#stream-events", "10,000"])
    expect(lines(page)).to_have_count(1000)
    expect(page.locator("[data-note]")).to_contain_text("newest 1,000 of 10,000")
    bar = page.locator("#replay")
    bar.get_by_label("Speed").select_option("max")
    bar.get_by_role("button", name="Play").click()
    assert page.evaluate(SAYS, ["#replay-where", "10,000 of 10,000"])
    longest = page.evaluate("window.longest")
    assert longest < 5000, longest  # ms: whatever else the machine does, nothing near a frozen page
