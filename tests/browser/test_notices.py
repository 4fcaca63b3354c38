"""Notices of the browser: counted in titles, told once for all tabs, and leading to the request."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.process.serving import Serving

pytestmark = pytest.mark.browser

# Chromium without a window hides no page and shows no notification: the test says when, and keeps them.
STAGE = """
  let away = false;
  Object.defineProperty(document, "hidden", { get: () => away });
  document.hasFocus = () => !away;
  window.look = (at) => { away = !at; document.dispatchEvent(new Event("visibilitychange")); };
  window.shown = [];
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) { super(title, options); window.shown.push(this); }
  };
"""


@pytest.fixture
def api(installation: Serving) -> Any:
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=installation.url, headers=headers, timeout=60) as client:
        yield client


def begin(api: httpx.Client, prompt: str) -> str:
    """A request that stays open until it is cancelled."""
    body = {"endpoint_id": "sandbox/patient", "input": {"seconds": 600, "prompt": prompt}}
    return str(api.post("/api/v1/requests/", json={**body, "allow_duplicate": True}).json()["id"])


def end(api: httpx.Client, public_id: str) -> None:
    api.post(f"/api/v1/requests/{public_id}/cancel/").raise_for_status()
    assert api.get(f"/api/v1/requests/{public_id}/?wait=60").json()["ended_at"]


def told(ids: list[str], *pages: Page) -> list[str]:
    """What the tabs told of these; requests of other tests may end as well."""
    tags = [tag for page in pages for tag in page.evaluate("shown.map((one) => one.tag)")]
    return sorted(id for tag in tags if (id := tag.removeprefix("faldeck-")) in ids)


def until_told(ids: list[str], *pages: Page) -> None:
    """Wait until each was told, by whichever tab; none is told twice."""
    end = time.monotonic() + 60
    while len(told(ids, *pages)) < len(ids) and time.monotonic() < end:
        pages[0].wait_for_timeout(100)
    assert told(ids, *pages) == sorted(ids)


def until_counted(least: int, *pages: Page) -> None:
    counted = "least => Number(/^\\((\\d+)\\) /.exec(document.title)?.[1] ?? 0) >= least"
    for page in pages:
        page.wait_for_function(counted, arg=least)


def prepare(page: Page) -> None:
    page.context.grant_permissions(["notifications"])
    page.context.add_init_script(STAGE)


def test_hidden_tabs_count_what_ends_and_one_notification_tells_of_it_and_leads_to_it(
    open_page: OpenPage, api: httpx.Client
) -> None:
    one, two = begin(api, "one"), begin(api, "two")
    page = open_page(f"/requests/{one}/", before=prepare)
    other = page.context.new_page()
    other.goto("/requests/")
    page.get_by_role("button", name="Tell me").click()
    expect(page.get_by_role("button", name="Tell me")).to_have_attribute("aria-pressed", "true")
    for tab in (page, other):
        tab.evaluate("look(false)")
    end(api, one)
    until_counted(1, page, other)
    until_told([one], page, other)
    with page.context.expect_page() as opened:
        for tab in (page, other):
            tab.evaluate("shown.forEach((one) => one.dispatchEvent(new Event('click')))")
    expect(opened.value).to_have_url(re.compile(one))
    opened.value.close()

    third = page.context.new_page()
    third.goto("/settings/notices/")
    third.get_by_label("All of mine").check()
    expect(third.locator("#browser-notices-state")).to_have_text(
        "This browser shows notifications."
    )
    third.reload()
    expect(third.get_by_label("All of mine")).to_be_checked()
    third.close()
    end(api, two)
    until_counted(2, page, other)
    until_told([one, two], page, other)
    for tab in (page, other):
        tab.evaluate("look(true)")
        expect(tab).to_have_title(re.compile(r"^[^(]"))


def test_a_blocked_browser_is_told_in_words_what_to_do(open_page: OpenPage) -> None:
    def block(page: Page) -> None:
        page.context.add_init_script(
            "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
        )

    page = open_page("/settings/notices/", before=block)
    page.get_by_label("Only those that failed").check()
    expect(page.locator("#browser-notices-state")).to_contain_text("blocks notifications")
