"""Two factors and passkeys in Chromium, with an authenticator of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD
from tests.factors import App
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def page(window: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page of an installation that no other test logs in to; passkeys are bound to a host's name."""
    with Serving(tmp_path / "installation", SANDBOX_PORT=str(free_port())) as serving:
        serving.manage(
            "createsuperuser", "--noinput", "--username", "grace", "--email", "",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        serving.manage("create_team", "Navy", "--owner", "grace")
        context = window.new_context(base_url=f"http://localhost:{serving.port}")
        page = context.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
        yield page
        context.close()
        assert troubles == []


def give_password(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def log_out(page: Page) -> None:
    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")


def key_of(page: Page, *, verifies: bool = True) -> None:
    """Plug in an authenticator."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_and_logs_in_alone_and_as_the_second_factor(page: Page) -> None:
    key_of(page)
    give_password(page)
    page.wait_for_url("**/requests/")
    page.goto("/accounts/factors/webauthn/add/")
    page.get_by_label("Name").fill("my laptop")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("list", name="Unused codes").get_by_role("listitem")).to_have_count(10)
    page.goto("/accounts/factors/webauthn/")
    expect(page.locator("main")).to_contain_text("my laptop")
    expect(page.locator("main")).to_contain_text("Logs in alone")
    log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/requests/")
    log_out(page)
    give_password(page)
    page.wait_for_url("**/factors/authenticate/**")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/requests/")


def test_an_app_is_turned_on_and_asked_for_and_a_passkey_that_is_refused_says_so(
    page: Page,
) -> None:
    give_password(page)
    page.wait_for_url("**/requests/")
    page.goto("/accounts/factors/totp/activate/")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    app = App(page.locator("code.wrap").inner_text(), [])
    page.get_by_label("Code that the app shows").fill(app.code(-1))
    page.get_by_role("button", name="Turn on").click()
    codes = page.get_by_role("list", name="Unused codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery = re.sub(r"\s", "", codes.first.inner_text())
    log_out(page)
    give_password(page)
    page.wait_for_url("**/factors/authenticate/**")
    key_of(page, verifies=False)
    page.get_by_label("Code of your app").fill("000000")
    page.get_by_role("button", name="Log in").first.click()
    expect(page.locator("main")).to_contain_text("Incorrect code")
    page.get_by_label("Code of your app").fill(recovery)
    page.get_by_role("button", name="Log in").first.click()
    page.wait_for_url("**/requests/")
