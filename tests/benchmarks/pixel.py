"""From a webhook to the changed row in Chromium, while fifty browsers show the list.

Goals at 20 changes a second: a median of 80 ms, 99 % within 250 ms. Beside it, in the same run and
the same pages, what a page gets that fetches each changed row: one with a search in its address.
PIXEL_PAGES, PIXEL_RATE and PIXEL_ROUNDS change the load.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

from tests import tools
from tests.benchmarks import fanout
from tests.benchmarks.fanout import ids_in, line, post_all, quantile, webhook_posts, with_webhooks
from tests.benchmarks.open_rows import put_in
from tests.benchmarks.page import PageSocket, open_page
from tests.benchmarks.report import table
from tests.benchmarks.stub import running
from tests.process.serving import Serving
from tests.signing import Signer

PAGES = int(os.environ.get("PIXEL_PAGES", "50"))
RATE = float(os.environ.get("PIXEL_RATE", "20"))
ROUNDS = int(os.environ.get("PIXEL_ROUNDS", "6"))
REAL, SHOWN = 3, 50  # of the pages in Chromium; rows on a page
SEARCH = "?q=lighthouse"
COUNTS_S = 3.0  # as the page's script
SETTLE_S = 20.0

# Notes when the frame after each row's change is drawn, by the wall clock.
NOTED = """() => {
  window.drawn = {};
  const noted = (row) => requestAnimationFrame(() => {
    window.drawn[row.id.slice(8)] ??= performance.timeOrigin + performance.now();
  });
  new MutationObserver((news) => news.forEach((one) => one.addedNodes.forEach((row) => {
    if (row.dataset?.status === "completed") noted(row);
  }))).observe(document.querySelector("tbody[data-rows]"), { childList: true });
}"""


def main() -> None:
    """Print the table."""
    signer = Signer()
    fanout.RATE = RATE
    with tempfile.TemporaryDirectory() as folder, running(signer) as fal:
        serving = with_webhooks(Path(folder), fal)
        with serving:
            pushed, fetched = asyncio.run(measured(serving, signer))
    rows = [line("pushed", pushed, quantile(pushed, 0.99))] if pushed else []
    if fetched:
        rows.append(line("fetched by each page (a search)", fetched, quantile(pushed, 0.99)))
    title = f"From a webhook to the row in Chromium, {PAGES} pages, {RATE:g} changes a second"
    table(title, ("row is", "median", "99 %", "worst", "arrived", "99 % to the first"), rows)


async def measured(serving: Serving, signer: Signer) -> tuple[list[float], list[float]]:
    """Seconds from each POST to each real page's frame: pushed rows, and fetched ones."""
    async with async_playwright() as playwright:
        path = await asyncio.to_thread(tools.chromium, playwright)
        if path is None:
            print(tools.NO_BROWSER)
            return [], []
        browser = await playwright.chromium.launch(executable_path=path)
        first = await asyncio.to_thread(put_in, serving, SHOWN, PAGES)
        found = [await rounds(browser, serving, signer, first, search) for search in ("", SEARCH)]
        await browser.close()
    return found[0], found[1]


async def rounds(
    browser: Browser, serving: Serving, signer: Signer, first: dict[str, Any], search: str
) -> list[float]:
    """Some rounds of as many changes as rows are on a page."""
    late: list[float] = []
    team, cookies = first["team"], first["cookies"]
    pages = [await real_page(browser, serving, cookie) for cookie in cookies[:REAL]]
    async with others(serving, cookies[REAL:], fetches=bool(search)):
        for _ in range(ROUNDS):
            rows = (await asyncio.to_thread(put_in, serving, SHOWN, 0, team))["rows"]
            for page in pages:
                await page.goto(f"{serving.url}/requests/{search}", wait_until="load")
                await page.wait_for_selector("#connection[data-state=live]")
                await page.evaluate(NOTED)
            await asyncio.sleep(1)
            sent: dict[str, float] = {}
            ids = [public_id for public_id, _ in rows]
            posts = list(zip(ids, webhook_posts(signer, rows), strict=True))
            await post_all(serving.port, posts, sent)
            for page in pages:
                drawn = await all_drawn(page, len(ids))
                late += [drawn.get(id, float("inf")) / 1000 - sent[id] for id in ids]
    for page in pages:
        await page.context.close()
    return sorted(late)


async def real_page(browser: Browser, serving: Serving, cookie: str) -> Page:
    context = await browser.new_context()
    name, _, value = cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": serving.url}])
    return await context.new_page()


async def all_drawn(page: Page, count: int) -> dict[str, float]:
    """Milliseconds of the wall clock, by row, once all are there or have had their time."""
    drawn: dict[str, float] = {}
    for _ in range(int(SETTLE_S / 0.1)):
        drawn = await page.evaluate("window.drawn")
        if len(drawn) >= count:
            break
        await asyncio.sleep(0.1)
    return drawn


@asynccontextmanager
async def others(serving: Serving, cookies: list[str], *, fetches: bool) -> AsyncIterator[None]:
    """The pages that no Chromium draws: their sockets and their requests."""
    address, waiting = ("127.0.0.1", serving.port), {}
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(base_url=serving.url, timeout=60, limits=limits) as http:

        def heard(page: PageSocket, text: bytes, now: float) -> None:
            if news := ids_in(text):
                waiting.setdefault(page, set()).update(news)

        async def counted(page: PageSocket, cookie: str) -> None:
            """What changed is fetched if it was not pushed; the counts now and then."""
            headers, passed, pause = {"Cookie": cookie}, 0.0, COUNTS_S * (1 + random.random())
            while True:
                await asyncio.sleep(0.05)
                passed += 0.05
                if fetches and (ids := waiting.pop(page, None)):
                    query = {"ids": ",".join(ids), "q": "lighthouse"}
                    await http.get("/requests/rows/", params=query, headers=headers)
                if passed >= pause and (fetches or waiting.pop(page, None)):
                    passed, pause = 0.0, COUNTS_S * (1 + random.random())
                    await http.get("/requests/counts/", headers=headers)

        tasks, pages = [], []
        for cookie in cookies:
            page = await open_page(address, cookie, heard)
            page.send({"type": "watch", "table": True, "html": not fetches})
            pages.append(page)
            tasks.append(asyncio.create_task(counted(page, cookie)))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for page in pages:
            page.transport.abort()


if __name__ == "__main__":
    main()
