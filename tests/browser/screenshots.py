"""Take the pictures of the README anew: `python -m tests.browser.screenshots [NAME …]`.

A fresh installation with its sandbox, a few requests, then each page in light and dark, 390 and 1440 pixels wide.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.browser.workspace import fill_input
from tests.ports import free_port
from tests.process.serving import ROOT, Serving

PLACE = ROOT / "docs" / "screenshots"
PASSWORD = "a long pass phrase"
SIZES = {"390": (390, 844), "1440": (1440, 900)}
PATIENCE_MS = 30_000
THEMES = ("light", "dark")
PROMPTS = ("a lighthouse in fog", "a red boat at dusk", "dunes under stars")


@contextmanager
def installation(folder: Path) -> Iterator[Serving]:
    """One process with its sandbox; ada owns its team."""
    with Serving(folder, SANDBOX_PORT=str(free_port())) as serving:
        serving.manage(
            "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        serving.manage("create_team", "Studio", "--owner", "ada")
        yield serving


def open_page(
    browser: Browser, serving: Serving, state: str | None, width: int, height: int, theme: str
) -> Page:
    """A page of the chosen size and theme, logged in by `state`."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        base_url=serving.url,
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        storage_state=state,
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def log_in(page: Page, state: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/requests/")
    page.context.storage_state(path=state)


def submit(page: Page, endpoint: str, value: object, *, mode: str = "queue") -> None:
    """Submit from the workspace and wait for the end."""
    page.goto(f"/requests/new/?endpoint={endpoint}")
    page.locator(f"[name=mode][value={mode}]").check()
    fill_input(page, value)
    page.get_by_role("button", name="Submit").click()
    badge = page.locator("#part-head .badge")
    expect(badge).to_have_text("completed", timeout=PATIENCE_MS)


def workspace(page: Page) -> None:
    """The form, its result and the last runs."""
    submit(page, "sandbox/image", {"prompt": PROMPTS[-1], "seed": 15})
    page.get_by_role("button", name="Form", exact=True).click()
    expect(page.locator("#request-page .medium img").first).to_be_visible()
    page.evaluate("scrollTo(0, 0)")


def compare(page: Page) -> None:
    """Two runs of the strip: those of two prompts."""
    page.goto("/requests/new/?endpoint=sandbox/image")
    for run in (page.locator(".run").nth(0), page.locator(".run").nth(-2)):
        run.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".slider img").first).to_be_visible()


PAGES: dict[str, Callable[[Page], None]] = {"workspace": workspace, "compare": compare}
SHOTS = {
    "workspace": [(theme, size) for theme in THEMES for size in SIZES],
    "compare": [("light", "1440")],
}


def take(names: list[str], place: Path) -> None:
    """Take the pictures of these pages."""
    place.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        installation(Path(folder)) as serving,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        state = f"{folder}/state.json"
        first = open_page(browser, serving, None, *SIZES["1440"], THEMES[0])
        log_in(first, state)
        for seed, prompt in enumerate(PROMPTS):
            submit(first, "sandbox/image", {"prompt": prompt, "seed": seed})
        for name in names:
            for theme, size in SHOTS[name]:
                page = open_page(browser, serving, state, *SIZES[size], theme)
                PAGES[name](page)
                page.screenshot(path=place / f"{name}-{theme}-{size}.png")
                page.context.close()
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1:] or list(PAGES), PLACE)
