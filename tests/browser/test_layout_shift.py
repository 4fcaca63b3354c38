"""Nothing jumps: how far each page shifts by itself while it loads and while news arrive, in Chromium."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.process.serving import Serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST = 0.05  # the layout shift score of a visit; 0.1 counts as good on the web
LONG_MS = 60_000
WIDTHS = (390, 1440)
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries())
    if (!shift.hadRecentInput)
      shifts.push({
        value: shift.value,
        at: shift.startTime,
        moved: shift.sources.map(({ node, previousRect: was, currentRect: is }) =>
          `${node?.nodeName} ${node?.id ?? ""} ${node?.className ?? node?.textContent} ` +
          `${was.x},${was.y} ${was.width}x${was.height} -> ${is.x},${is.y} ${is.width}x${is.height}`),
      });
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def http(installation: Serving) -> Any:
    """The API, as grace."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    with httpx.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        yield client


def submit(
    http: httpx.Client, endpoint_id: str, mode: str = "queue", wait: int = 0, **input: Any
) -> str:
    body = {"endpoint_id": endpoint_id, "mode": mode, "input": input, "allow_duplicate": True}
    made = http.post(f"/api/v1/requests/?wait={wait}", json=body)
    assert made.is_success, made.text
    public_id: str = made.json()["id"]
    return public_id


def watch(page: Page) -> None:
    page.add_init_script(WATCH)


def shift_of(page: Page) -> tuple[float, str]:
    """The score once the network rests, and what moved from where to where."""
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    shifts = page.evaluate("shifts")
    return sum(shift["value"] for shift in shifts), json.dumps(shifts, indent=1)


PAGES = (
    "/requests/",
    "/requests/gallery/",
    "/requests/import/",
    "/requests/new/",
    "/requests/new/?endpoint=sandbox/flux/dev",
    "/overview/?range=hour",
    "/batches/",
    "/batches/new/",
    "/presets/",
    "/endpoints/",
    "/errors/?state=all",
    "/endpoints/sandbox/flux/dev/",
    "/realtime/",
    "/settings/",
    "/settings/audit/",
    "/webhooks/",
    "/settings/notices/",
    "/settings/forwarding/",
    "/invitations/",
)


@pytest.mark.long
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_stands_still_while_it_loads(
    open_page: OpenPage, http: httpx.Client, width: int
) -> None:
    """What moves as far as a user's own click asks for it does not count, as in any browser."""
    submit(http, "sandbox/flux/dev", wait=30, prompt="a lighthouse")
    page = open_page(PAGES[0], width=width, before=watch)
    scores = {}
    for path in PAGES:
        page.goto(path)
        scores[path] = shift_of(page)
    assert {path: told for path, (score, told) in scores.items() if score > MOST} == {}


RUNS = {
    "a picture": ("sandbox/flux/dev", "queue", {"prompt": "a quiet harbour"}),
    "logs": ("sandbox/slow", "queue", {"steps": 4, "seconds_per_step": 0.5}),
    "a stream": ("sandbox/text", "stream", {"prompt": "a long story of the sea"}),
    "a failure": ("sandbox/strict", "queue", {"prompt": "x"}),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("what", RUNS)
def test_a_request_stands_still_from_its_start_to_its_end(
    open_page: OpenPage, http: httpx.Client, what: str, width: int
) -> None:
    endpoint_id, mode, input = RUNS[what]
    public_id = submit(http, endpoint_id, mode, **input)
    page = open_page(f"/requests/{public_id}/", width=width, before=watch)
    expect(page.locator("#part-head[data-ended='true']")).to_be_visible(timeout=LONG_MS)
    score, told = shift_of(page)
    assert score <= MOST, told
    if mode != "stream":  # the record of one is read by scripts, and is as long as it is
        page.reload()
        score, told = shift_of(page)
        assert score <= MOST, told


@pytest.mark.parametrize("width", WIDTHS)
def test_the_list_stands_still_while_its_rows_move_on(
    open_page: OpenPage, http: httpx.Client, width: int
) -> None:
    """New rows push the others down on purpose, unless the reader is among them: not judged here."""
    made = [submit(http, "sandbox/slow", steps=4, seconds_per_step=0.5) for _ in range(3)]
    page = open_page("/requests/", width=width, before=watch)
    for public_id in made:
        row = page.locator(f"#request-{public_id}[data-status='completed']")
        expect(row).to_be_visible(timeout=LONG_MS)
    score, told = shift_of(page)
    assert score <= MOST, told
