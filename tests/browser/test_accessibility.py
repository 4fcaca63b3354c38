"""axe-core finds no fault with any page or state: on a wide screen in the light, on a phone in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.process.serving import Serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Act = Callable[[Page], object]
Opened = Callable[[str], Page]
PATHS = (
    "/requests/",
    "/requests/?q=nothing-has-this-word",
    "/requests/?q=status:odd",
    "/requests/gallery/",
    "/requests/gallery/?q=nothing-has-this-word",
    "/requests/new/",
    "/requests/new/?endpoint=sandbox/flux/dev",
    "/requests/bulk/",
    "/errors/",
    "/errors/?state=all&by=nobody",
    "/overview/?range=hour",
    "/overview/?range=month&endpoint=none",
    "/requests/exports/?q=status:failed&format=zip",
    "/requests/import/",
    "/requests/compare/",
    "/batches/",
    "/batches/new/",
    "/presets/",
    "/endpoints/",
    "/endpoints/own-apps/",
    "/endpoints/sandbox/flux/dev/",
    "/realtime/",
    "/settings/",
    "/settings/audit/",
    "/webhooks/",
    "/settings/notices/",
    "/settings/forwarding/",
    "/settings/code/",
    "/settings/times/",
    "/settings/team/",
    "/settings/health/",
    "/settings/retention/?payload=30",
    "/settings/team/delete/",
    "/teams/new/",
    "/settings/sessions/",
    "/invitations/",
    "/accounts/",
    "/accounts/email/",
    "/accounts/name/",
    "/accounts/delete/",
    "/accounts/password/change/",
    "/accounts/password/reset/",
    "/accounts/factors/",
    "/accounts/factors/totp/activate/",
    "/accounts/factors/webauthn/",
    "/accounts/factors/webauthn/add/",
    "/accounts/reauthenticate/",
    "/accounts/logout/",
    "/accounts/login/",
    "/no/such/page/",
)
ENDS = {
    "a picture": ("sandbox/image", "queue", {"prompt": "dusk"}),
    "a failure": ("sandbox/error", "queue", {}),
    "an unknown endpoint": ("sandbox/nothing", "queue", {}),
    "a stream": ("sandbox/text", "stream", {"words": 5, "delay_s": 0}),
    "a direct call": ("sandbox/echo", "run", {"prompt": "again"}),
}


@pytest.fixture(scope="module")
def requests(installation: Serving) -> dict[str, str]:
    """The path of an ended request of each kind."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    with httpx.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=90
    ) as client:
        return {name: _ended(client, *call) for name, call in ENDS.items()}


def _ended(client: httpx.Client, endpoint_id: str, mode: str, given: dict[str, Any]) -> str:
    body = {"endpoint_id": endpoint_id, "mode": mode, "input": given, "allow_duplicate": True}
    made = client.post("/api/v1/requests/?wait=60", json=body)
    assert made.is_success, made.text
    return f"/requests/{made.json()['id']}/"


@pytest.fixture
def opened(window: Browser, installation: Serving, cookies: Any) -> Iterator[Opened]:
    """opened(path): the page, logged in, without motion: a colour on its way from one to another is neither."""
    context = window.new_context(
        base_url=installation.url,
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
    )

    def open_it(path: str) -> Page:
        if "/login/" not in path:
            context.add_cookies(cookies)
        page = context.new_page()
        page.goto(path)
        return page

    yield open_it
    context.close()


def faults_of(page: Page) -> list[str]:
    """What axe finds on the page as it is."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for fault in found
        for node in fault["nodes"]
    ]


def judge(page: Page, act: Act = lambda page: None) -> None:
    page.wait_for_load_state("networkidle")
    act(page)
    assert faults_of(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults_of(page) == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("requests")
def test_a_page_has_no_fault(opened: Opened, path: str) -> None:
    judge(opened(path))


@pytest.mark.parametrize("kind", ENDS)
def test_the_page_of_a_request_has_no_fault(
    opened: Opened, requests: dict[str, str], kind: str
) -> None:
    judge(opened(requests[kind]))


def _group(page: Page) -> None:
    """Go from a failed request to its group, once that is counted."""
    path = page.locator(".explanation a[href*='/errors/']").get_attribute("href")
    expect(page.locator("main")).to_be_visible()
    page.goto("/errors/?state=all")
    page.locator(f".error-what a[href='{path}']").click()
    expect(page.get_by_role("heading", name="How often")).to_be_visible()


def test_groups_of_errors_have_no_fault(opened: Opened, requests: dict[str, str]) -> None:
    page = opened(requests["a failure"])
    judge(page, _group)
    page.goto("/errors/?state=all")
    expect(page.locator(".error-table tbody tr").first).to_be_visible()
    judge(page)


def _shortcuts(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_be_visible()


def _panel(page: Page) -> None:
    page.locator("tr.row .row-summary").first.click()
    expect(page.locator("#part-head")).to_be_visible()


def _completion(page: Page) -> None:
    page.locator("#search").press_sequentially("st")
    expect(page.get_by_role("option").first).to_be_visible()


def _ticked(page: Page) -> None:
    page.locator("tr.row .row-check").first.check()


def _opened(page: Page) -> None:
    page.locator(".tile-face").first.click()
    page.keyboard.press("i")
    expect(page.locator("dialog.lightbox .facts")).to_be_visible()


def _ticked_tile(page: Page) -> None:
    page.locator(".tile .row-check").first.check()


@pytest.mark.parametrize("act", [_opened, _ticked_tile])
@pytest.mark.usefixtures("requests")
def test_a_gallery_with_something_open_has_no_fault(opened: Opened, act: Act) -> None:
    judge(opened("/requests/gallery/"), act)


@pytest.mark.parametrize("act", [_shortcuts, _palette, _panel, _completion, _ticked])
@pytest.mark.usefixtures("requests")
def test_a_list_with_something_open_has_no_fault(opened: Opened, act: Act) -> None:
    judge(opened("/requests/"), act)
