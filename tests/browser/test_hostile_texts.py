"""Nearly four hundred texts that attack, in every place that takes text from outside, on every page: nothing happens.

Each page has a trap (`payloads.TRAP`): scripts that ran, dialogs, breaches of the policy, requests to other hosts, and
elements or attributes that no template of ours has.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from tests.browser.conftest import fill_log_in
from tests.browser.payloads import FORMULAS, HOST, LOOK, PAYLOADS, TRAP
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = [pytest.mark.browser, pytest.mark.process]  # an installation of its own

FILL = "from tests.browser import hostile; print(hostile.fill())"
# They answer with bytes, a file or JSON: looked at as such below.
NO_PAGES = {
    "export", "export_file", "media_zip", "run_file", "input", "output", "output_media", "medium", "kept_media",
    "thumbnail", "frame_raw", "frame_media", "delivery_body", "export_audit", "client_wheel", "frame", "result",
    "healthz", "readyz", "session",
}  # fmt: skip


class Hostile:
    """The installation, its addresses, and a page with the trap."""

    def __init__(self, serving: Serving, told: dict[str, Any], window: Browser) -> None:
        self.serving, self.told = serving, told
        self.context = window.new_context(
            base_url=serving.url, viewport={"width": 1280, "height": 900}
        )
        self.context.add_init_script(TRAP)
        self.found: list[str] = []
        self.page = self.context.new_page()
        self._watch(self.page)
        self.page.goto("/accounts/login/")
        fill_log_in(self.page, told["user"])
        self.page.locator(f".choose-team button[value='{told['team']}']").click()
        expect(self.page.locator(f"body[data-team='{told['team']}']")).to_be_attached()
        self.look("the choice of a team")

    def _watch(self, page: Page) -> None:
        page.on(
            "dialog",
            lambda dialog: (self.found.append(f"dialog: {dialog.message}"), dialog.dismiss()),
        )
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("request", lambda request: HOST in request.url and self.found.append(request.url))
        page.on("popup", lambda popup: self.found.append(f"popup: {popup.url}"))

    def visit(self, path: str) -> int:
        """Open it; what the trap caught is found. An answer that is no page leaves the one before in place."""
        try:
            reply = self.page.goto(path, wait_until="domcontentloaded")
        except PlaywrightError as error:
            assert "ERR_ABORTED" in str(error) or "Download is starting" in str(error), error
            return self.context.request.get(path).status
        self.look(path)
        return reply.status if reply else 0

    def look(self, where: str) -> None:
        self.found += [f"{where}: {one}" for one in self.page.evaluate(LOOK)]

    def http(self) -> httpx.Client:
        cookies = {one["name"]: one["value"] for one in self.context.cookies()}
        return httpx.Client(base_url=self.serving.url, cookies=cookies, timeout=90)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, window: Browser) -> Iterator[Hostile]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    serving = Serving(folder, SANDBOX_PORT=str(free_port()))
    told = serving.fill(FILL)
    with serving:
        made = Hostile(serving, told, window)
        yield made
        made.context.close()


@pytest.fixture(autouse=True)
def _nothing_is_found(hostile: Hostile) -> Iterator[None]:
    hostile.found.clear()
    yield
    assert hostile.found == []


def opened(hostile: Hostile, paths: list[str]) -> None:
    troubles = {path: status for path in paths if (status := hostile.visit(path)) >= 500}
    assert troubles == {}


def test_there_are_payloads_enough() -> None:
    assert len(PAYLOADS) >= 300


@pytest.mark.long
def test_every_route_shows_them_as_text(hostile: Hostile) -> None:
    routes = {name: paths for name, paths in hostile.told["routes"].items() if name not in NO_PAGES}
    assert len(routes) > 80
    opened(hostile, [path for paths in routes.values() for path in paths])


@pytest.mark.long
def test_requests_show_them_as_text_with_all_that_unfolds(hostile: Hostile) -> None:
    for path in hostile.told["rows"]:
        assert hostile.visit(path) == 200
        page = hostile.page
        page.wait_for_load_state("networkidle")
        page.evaluate(
            "for (const one of document.querySelectorAll('main details')) one.open = true"
        )
        for tab in page.locator("main [role=tab]").all():
            if tab.is_visible():
                tab.click()
        page.wait_for_load_state("networkidle")
        hostile.look(f"{path} unfolded")


@pytest.mark.long
def test_parts_of_pages_and_lists_show_them_as_text(hostile: Hostile) -> None:
    opened(hostile, [*hostile.told["fragments"], *hostile.told["lists"]])


def test_what_is_typed_and_completed_is_text(hostile: Hostile) -> None:
    for path in (
        "/requests/",
        "/requests/gallery/",
        "/overview/",
        "/errors/",
        "/batches/",
        "/presets/",
    ):
        hostile.visit(
            f"{path}?q={'%22%3E%3Cx-trap%3E%3Cscript%3Etrap()%3C/script%3E'}&by=%3Cx-trap%3E&view=%3Cx-trap%3E"
        )
    for typed in ("tag:", "by:", "endpoint:", "error:", "<x-trap>", "input."):
        hostile.visit("/requests/")
        hostile.page.get_by_role("combobox").first.fill(typed)
        hostile.page.wait_for_load_state("networkidle")
        hostile.look(f"completions of {typed}")


def test_nothing_of_it_is_sent_as_a_page_or_as_a_formula(hostile: Hostile) -> None:
    files = [path for name in NO_PAGES for path in hostile.told["routes"].get(name, [])]
    with hostile.http() as client:
        for path in files:
            reply = client.get(path)
            assert reply.status_code < 500 or path == "/readyz", path
            is_page = (
                reply.headers["content-type"].startswith("text/html") and reply.status_code == 200
            )
            assert not is_page or "script-src 'self'" in reply.headers["content-security-policy"], (
                path
            )
            assert "x-trap" not in reply.headers and "trap" not in reply.headers.get(
                "set-cookie", ""
            )
        table = client.get("/requests/export/?format=csv").text
    begins = {cell[:1] for line in csv.reader(io.StringIO(table)) for cell in line}
    assert begins and not begins & {one[0] for one in FORMULAS}


def test_what_a_browser_does_block_reaches_health(hostile: Hostile) -> None:
    hostile.visit("/settings/health/")
    expect(hostile.page.get_by_text("No browser has reported")).to_be_visible()
    with hostile.page.expect_request("**/policy-reports/") as sent:
        hostile.page.evaluate(
            "const one = document.createElement('script'); one.textContent = '1'; document.body.append(one)"
        )
    answer = sent.value.response()
    assert answer and answer.status == 204
    hostile.page.reload()
    expect(hostile.page.get_by_text("script-src-elem on /settings/health/ (1)")).to_be_visible()
    hostile.page.evaluate("window.trapped.length = 0")
