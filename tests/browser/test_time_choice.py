"""How times read is chosen once and shows everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_request_page import submit

pytestmark = pytest.mark.browser


def choose(page: Page, zone: str, lists: str, clock: str) -> None:
    page.locator("summary", has=page.get_by_label("Your account")).click()
    page.get_by_role("link", name="Times").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Time zone").select_option(zone)
    dialog.get_by_label(lists).check()
    dialog.get_by_label(clock).check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()


def test_a_choice_shows_at_once_everywhere_and_in_another_browser(open_page: Any) -> None:
    path = submit(open_page, "sandbox/slow", {"steps": 2, "seconds_per_step": 0.2})
    page: Page = open_page(path)
    line = page.locator(".log-time time").first
    page.get_by_role("tab", name="Logs").click()
    expect(line).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    choose(page, "Asia/Kolkata", "Absolute", "12 hours")
    expect(line).to_have_text(re.compile(r"^\d\d?:\d\d:\d\d\.\d{3} [AP]M UTC\+5:30$"))
    expect(line).to_have_attribute("title", re.compile(r"Asia/Kolkata \(UTC\+5:30\)$"))
    expect(page.locator(".step-at time").first).to_have_text(re.compile(r"M UTC\+5:30$"))
    expect(page.locator(".request-line time").first).to_have_text(re.compile(r"M UTC\+5:30$"))
    other: Page = open_page("/requests/")
    sent = other.locator(".row-age time").first
    expect(sent).to_have_text(re.compile(r"M UTC\+5:30$"))
    plain: Page = open_page("/requests/", javascript=False)
    assert plain.locator(".row-age time").first.text_content() == sent.text_content()
    choose(other, "local", "Relative", "24 hours")
    expect(sent).to_have_text(re.compile(r"^\d+ [smh] ago$"))
    plain.reload()
    expect(plain.locator(".row-age time").first).to_have_attribute("title", re.compile("UTC$"))


def test_the_choice_can_be_made_without_scripts(open_page: Any) -> None:
    page = open_page("/settings/times/", javascript=False)
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Times show as you chose.")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("UTC")
    page.get_by_label("Time zone").select_option("local")
    page.get_by_role("button", name="Save").click()


def test_an_event_of_a_stream_tells_its_time_of_day(open_page: Any) -> None:
    path = submit(open_page, "sandbox/text", {"words": 3, "delay_s": 0.01}, mode="stream")
    page: Page = open_page(f"{path}?tab=events")
    offset = page.locator("time.frame-offset").nth(1)
    offset.hover()
    expect(offset).to_have_attribute("title", re.compile(r"^\d{4}-.*(UTC|\))$"))
    offset.click()
    expect(page.locator(".frame-title time")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}"))
