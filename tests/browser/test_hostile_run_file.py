"""Runs' files by a hostile hand: every text is a payload, and media are pages. What they become shows them as text."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import fill_log_in
from tests.browser.hostile_run import RUNS, hostile, shares
from tests.browser.payloads import HOST, LOOK, TRAP
from tests.ports import free_port
from tests.process.serving import Serving
from tests.runfile.test_reading import packed

pytestmark = [pytest.mark.browser, pytest.mark.process]  # an installation of its own

FILL = "from tests.browser import hostile_run; print(hostile_run.fill())"
PARTS = ("peek", "live", "logs", "frames", "result")
# A page from disk has its style and its policy within it.
OF_VIEWER = ("element: <style>", 'element: <meta http-equiv="Content-Security-Policy"')


class Watched:
    """A page with the trap, and what it caught."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(TRAP)
        self.page, self.found = context.new_page(), list[str]()
        self.page.on("dialog", lambda one: (self.found.append(one.message), one.dismiss()))
        self.page.on("request", lambda one: HOST in one.url and self.found.append(one.url))
        self.page.on("pageerror", lambda error: self.found.append(f"error: {error}"))

    def look(self, where: str) -> None:
        found = [one for one in self.page.evaluate(LOOK) if not one.startswith(OF_VIEWER)]
        self.found += [f"{where}: {one}" for one in found]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    serving = Serving(tmp_path_factory.mktemp("runs"), SANDBOX_PORT=str(free_port()))
    said = serving.fill(FILL)
    with serving:
        yield {**said, "url": serving.url}


@pytest.fixture
def watched(told: dict[str, Any], window: Browser) -> Iterator[Watched]:
    context = window.new_context(base_url=told["url"], accept_downloads=True)
    made = Watched(context)
    made.page.goto("/accounts/login/")
    fill_log_in(made.page, told["user"])
    expect(made.page.locator("body[data-team]")).to_be_attached()
    yield made
    context.close()


def imported(page: Page, data: bytes) -> str:
    """Send the file through the form; return the address of what it became."""
    page.goto("/requests/import/")
    page.locator("input[type=file]").set_input_files(
        {"name": '"><x-trap>.zip', "mimeType": "application/zip", "buffer": data}
    )
    with page.expect_navigation():
        page.get_by_role("button", name="Import").click()
    return page.url.removeprefix(page.url.split("/requests/")[0])


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(RUNS))
def test_a_hostile_run_is_text_on_its_pages_in_parts_and_in_its_own_file(
    watched: Watched, told: dict[str, Any], window: Browser, tmp_path: Path, number: int
) -> None:
    files = {name: base64.b64decode(data) for name, data in told["files"].items()}
    page = watched.page
    path = imported(page, packed(hostile(files, shares()[number], number)).getvalue())
    expect(page.get_by_text("The run is imported.")).to_be_visible()
    watched.look("the page")
    page.wait_for_load_state("networkidle")
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    for tab in page.locator("main [role=tab]").all():
        if tab.is_visible():
            tab.click()
    page.wait_for_load_state("networkidle")
    watched.look("the page unfolded")
    shown = [f"{path}{part}/" for part in PARTS]
    shown += [f"/requests/new/?again={path.split('/')[2]}", "/requests/", "/requests/gallery/"]
    for address in shown:
        reply = page.goto(address, wait_until="domcontentloaded")
        assert reply and reply.status < 500, address
        watched.look(address)
    assert opened_from_disk(watched, window, path, tmp_path) == []
    assert watched.found == []


def opened_from_disk(watched: Watched, window: Browser, path: str, folder: Path) -> list[str]:
    """What the trap catches in the file that the imported run goes out as."""
    reply = watched.page.context.request.get(f"{path}run/")
    assert reply.status == 200
    (folder / "run.zip").write_bytes(reply.body())
    with zipfile.ZipFile(folder / "run.zip") as archive:
        names = archive.namelist()
        archive.extractall(folder / "run")
    assert not [name for name in names if name.endswith((".svg", ".html")) and name != "index.html"]
    context = window.new_context()
    viewer = Watched(context)
    viewer.page.goto((folder / "run/index.html").as_uri())
    expect(viewer.page.get_by_role("heading", level=1)).to_be_visible()
    viewer.look("the viewer")
    context.close()
    return viewer.found
