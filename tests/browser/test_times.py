"""Times as the browser writes them: the same texts as the server's, and the reader's own zone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import SITE, answer_static
from tests.display.test_times import AGES, CASES

pytestmark = pytest.mark.browser


def test_the_browser_writes_what_the_server_writes(page: Page) -> None:
    written = page.evaluate(
        """async (cases) => {
          const { textsOf } = await import("/lib/timetext.js");
          return cases.map(([moment, zone, hours]) => {
            const { exact, clock, full } = textsOf(new Date(moment), { zone, hours });
            return [exact, clock, full];
          });
        }""",
        CASES,
    )
    assert written == [case[3:] for case in CASES]


def test_ages_are_the_servers_too(page: Page) -> None:
    ages = page.evaluate(
        """async (all) => {
          const { age } = await import("/lib/timetext.js");
          return all.map((seconds) => age(seconds));
        }""",
        [seconds for seconds, _ in AGES],
    )
    assert ages == [text for _, text in AGES]


def test_a_zone_the_browser_does_not_know_leaves_the_servers_words(page: Page) -> None:
    left = page.evaluate(
        """async () => {
          const { refreshTimes } = await import("/lib/time.js");
          document.body.dataset.timeZone = "Mars/Olympus";
          document.body.innerHTML = '<time datetime="2026-01-01T00:00:00Z" data-time="exact">as it was</time>';
          refreshTimes();
          delete document.body.dataset.timeZone;
          return document.body.textContent;
        }"""
    )
    assert left == "as it was"


def test_local_is_the_browsers_zone_and_its_name_is_told_on_hover(page: Page) -> None:
    assert page.context.browser
    context = page.context.browser.new_context(timezone_id="Australia/Adelaide")
    there = context.new_page()
    there.route("**/*", answer_static)
    there.goto(f"{SITE}/")
    texts = there.evaluate(
        """async () => {
          const { textsOf } = await import("/lib/timetext.js");
          return textsOf(new Date("2026-11-23T15:02:11.120Z"));
        }"""
    )
    context.close()
    assert texts == {
        "exact": "2026-11-24 01:32:11",
        "clock": "01:32:11.120",
        "full": "2026-11-24 01:32:11.120 Australia/Adelaide (UTC+10:30)",
    }
