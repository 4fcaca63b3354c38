"""A real installation with its sandbox, and a browser in which somebody is logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.browser.chromium import launch
from tests.browser.realtime_peer import Peer, connect
from tests.ports import free_port
from tests.process.serving import Serving

PASSWORD = "a long pass phrase"
OpenPage = Callable[..., Page]
STATIC = Path(__file__).resolve().parents[2] / "static"
SITE = "http://scripts.test"


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One process for all browser tests that need no more; grace owns its team."""
    folder: Path = tmp_path_factory.mktemp("installation")
    with Serving(folder, SANDBOX_PORT=str(free_port())) as serving:
        serving.manage(
            "createsuperuser", "--noinput", "--username", "grace", "--email", "grace@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        serving.manage("create_team", "Navy", "--owner", "grace")
        ask_again(serving, None)
        yield serving


def ask_again(serving: Serving, minutes: int | None) -> None:
    """Set for how long every team asks about the same input again.

    None, never: what one test has sent must hold up no other.
    """
    code = f"from requests_app.models import Team; Team.objects.update(duplicate_minutes={minutes})"
    serving.manage("shell", "-c", code)


@pytest.fixture(scope="package")
def window() -> Iterator[Browser]:
    """Chromium, one for the folder: two Playwrights at once do not get on, nor one with what runs an event loop."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def cookies(window: Browser, installation: Serving) -> list[dict[str, object]]:
    """What a log-in leaves; logging in anew for every test would meet the rate limit."""
    context = window.new_context()
    page = context.new_page()
    page.goto(f"{installation.url}/accounts/login/")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/requests/")
    kept = list(context.cookies())
    context.close()
    return kept


@pytest.fixture
def open_page(
    window: Browser, installation: Serving, cookies: list[dict[str, object]]
) -> Iterator[OpenPage]:
    """open_page("/requests/new/", javascript=…, width=…, before=…): a logged-in page.

    `before(page)` runs before the first navigation. Whatever the browser complains about fails the test.
    """
    troubles: list[str] = []
    contexts: list[BrowserContext] = []

    def open_it(
        path: str,
        *,
        javascript: bool = True,
        width: int = 1280,
        before: Callable[[Page], object] = lambda page: None,
    ) -> Page:
        context = window.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
            base_url=installation.url,
        )
        contexts.append(context)
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        # A refused form is answered with 422, which Chromium reports as a failed load.
        page.on(
            "console",
            lambda said: (
                said.type == "error" and " 422 " not in said.text and troubles.append(said.text)
            ),
        )
        before(page)
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def own_page(window: Browser, installation: Serving) -> Iterator[Callable[[str], Page]]:
    """own_page(path, user="grace"): a page with a log-in of its own, so that ending it harms no other test."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_it(path: str) -> Page:
        context = window.new_context(base_url=installation.url)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        log_in(page)
        page.goto(path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert troubles == []


def log_in(page: Page, user: str = "grace") -> None:
    page.goto("/accounts/login/")
    fill_log_in(page, user)
    page.wait_for_url("**/requests/")


def fill_log_in(page: Page, user: str = "grace") -> None:
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def faults(installation: Serving) -> Iterator[Callable[..., object]]:
    """faults(rule, …): how the installation's sandbox misbehaves from now on; without a rule, and after the test, it behaves."""
    with Faults(installation) as faults:
        yield faults


class Faults:
    """The rules of an installation's sandbox, over HTTP."""

    def __init__(self, installation: Serving) -> None:
        self._url = f"http://127.0.0.1:{installation.environment['SANDBOX_PORT']}/control/faults"
        self._client = httpx.Client(headers={"Authorization": "Key sandbox:sandbox"})

    def __call__(self, *rules: dict[str, object]) -> None:
        self._client.post(self._url, json=list(rules)).raise_for_status()

    def __enter__(self) -> Faults:
        return self

    def __exit__(self, *_: object) -> None:
        self()
        self._client.close()


def held(endpoint_id: str) -> dict[str, object]:
    """The rule that lets no queued request of the endpoint end, however slow the machine is."""
    return {"when": "end", "do": "hold", "endpoint": endpoint_id, "times": None}


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def scripted(open_page: OpenPage, peer: Peer) -> Page:
    """The page with an open session at the scripted peer."""
    page = open_page("/realtime/", before=peer.play)
    connect(page)
    return page


def answer_static(route: Route) -> None:
    path = STATIC / "js" / route.request.url.removeprefix(f"{SITE}/")
    if path.suffix == ".js":
        route.fulfill(path=path, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


@pytest.fixture(scope="module")
def page(window: Browser) -> Iterator[Page]:
    """A bare page that can import the modules of static/js."""
    page = window.new_page()
    page.route("**/*", answer_static)
    page.goto(f"{SITE}/")
    yield page
    page.close()
