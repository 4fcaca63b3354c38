"""What a page weighs on the wire, in Chromium: at the first visit, and at the second."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import tools
from tests.benchmarks.latency import PASSWORD, make_member
from tests.benchmarks.report import table
from tests.ports import free_port
from tests.process.serving import Serving

ROWS = 50
FIRST_KB, SECOND_KB = 150, 20  # goals
ENDPOINT = "sandbox/flux/dev"


class Visit(NamedTuple):
    """Bytes with their headers, requests, and milliseconds until the page had loaded."""

    sent: int
    requests: int
    load_ms: float


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = tools.chromium(playwright)
        if path is None:
            print(tools.NO_BROWSER)
            return
        with Serving(Path(folder), SANDBOX_PORT=str(free_port())) as serving:
            row = fill(serving)
            browser = playwright.chromium.launch(executable_path=path)
            show(browser, serving, row)
            browser.close()


def fill(serving: Serving) -> str:
    """Rows for a page of the list; the id of one that has ended."""
    headers = {"Authorization": f"Bearer {make_member(serving)}"}
    with httpx.Client(base_url=serving.url, headers=headers, timeout=60) as http:
        for number in range(ROWS):
            body = {"endpoint_id": "sandbox/echo", "input": {"text": f"row {number}"}}
            made = http.post("/api/v1/requests/?wait=30", json=body)
            public_id: str = made.raise_for_status().json()["id"]
        return public_id


def show(browser: Browser, serving: Serving, row: str) -> None:
    """Measure each page in a browser that has seen nothing, then once more."""
    cookies = cookies_of(browser, serving.url)
    pages = {
        "log-in": "/accounts/login/",
        f"list of {ROWS}": "/requests/",
        "form with a schema": f"/requests/new/?endpoint={ENDPOINT}",
        "a request": f"/requests/{row}/",
    }
    rows = []
    for name, path in pages.items():
        context = browser.new_context(base_url=serving.url)
        context.add_cookies([] if name == "log-in" else cookies)
        rows.append((name, *shown(visit(context, path)), *shown(visit(context, path))))
        context.close()
    columns = ("page", "first visit", "requests", "loaded", "second visit", "requests", "loaded")
    goals = f"goals: {FIRST_KB} KB at first, {SECOND_KB} KB afterwards"
    table(f"What a page weighs, headers included ({goals})", columns, rows)


def cookies_of(browser: Browser, url: str) -> Any:
    """What a log-in leaves."""
    context = browser.new_context(base_url=url)
    log_in(context.new_page())
    cookies = context.cookies()
    context.close()
    return cookies


def log_in(page: Page) -> None:
    """As the member that `fill` has made."""
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/requests/")


def visit(context: BrowserContext, path: str) -> Visit:
    """Open the page in a new tab, and count until the network rests."""
    page = context.new_page()
    finished: list[int] = []
    wire = context.new_cdp_session(page)
    asked: dict[str, bool] = {}  # id of each request -> whether its reply came from the cache
    wire.on("Network.requestWillBeSent", lambda news: asked.setdefault(news["requestId"], False))
    wire.on("Network.requestServedFromCache", lambda news: asked.update({news["requestId"]: True}))
    wire.on("Network.responseReceived", lambda news: _note_cached(asked, news))
    wire.on("Network.loadingFinished", lambda news: finished.append(news["encodedDataLength"]))
    wire.send("Network.enable")
    page.goto(path, wait_until="networkidle")
    loaded = load_ms(page)
    page.close()
    return Visit(int(sum(finished)), list(asked.values()).count(False), loaded)


def _note_cached(asked: dict[str, bool], news: dict[str, Any]) -> None:
    if news["response"].get("fromDiskCache"):
        asked[news["requestId"]] = True


def load_ms(page: Page) -> float:
    """From the navigation to the load event, by which all modules have run."""
    timing = "JSON.stringify(performance.getEntriesByType('navigation')[0])"
    end: float = json.loads(page.evaluate(timing))["loadEventEnd"]
    return end


def shown(visit: Visit) -> tuple[str, str, str]:
    return f"{visit.sent / 1000:.1f} KB", str(visit.requests), f"{visit.load_ms:.0f} ms"
