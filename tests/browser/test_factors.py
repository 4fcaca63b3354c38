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
        page.serving = serving  # type: ignore[attr-defined]
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
        yield page
        context.close()
        assert troubles == []


def give_password(page: Page, name: str = "grace") -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(name)
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


MEMBER = """
from django.contrib.auth.models import User
from requests_app.models import Account, Team
ada = Account(username="ada")
ada.set_password("{password}")
ada.save()
Team.objects.get(name="Navy").memberships.create(user=ada, role="member")
"""


def give_code(page: Page) -> None:
    """Turn an app on, on the page that shows its key."""
    app = App(page.locator("code.wrap").inner_text(), [])
    page.get_by_label("Code that the app shows").fill(app.code(-1))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("list", name="Unused codes").get_by_role("listitem")).to_have_count(10)


def test_a_team_requires_two_factors_and_a_member_sets_one_up_and_goes_on(
    page: Page, window: Browser
) -> None:
    page.serving.manage("shell", "-c", MEMBER.format(password=PASSWORD))  # type: ignore[attr-defined]
    give_password(page)
    page.wait_for_url("**/requests/")
    page.goto("/settings/team/")
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_role("link", name="Turn on an app").click()
    give_code(page)
    context = window.new_context(base_url=page.url.partition("/accounts")[0])
    member = context.new_page()
    give_password(member, "ada")
    member.wait_for_url("**/requests/")
    expect(member.locator("#connection")).to_have_attribute("data-state", "live")
    page.goto("/settings/team/")
    expect(page.locator("main")).to_contain_text("Without a second factor: ada.")
    page.locator("summary", has_text="Require two factors").click()
    page.get_by_role("button", name="Require them").click()
    expect(page.get_by_text("Every member needs two factors now.")).to_be_visible()
    expect(member.locator("#connection")).to_have_attribute("data-state", "offline")
    expect(member.locator("#connection")).to_have_attribute("title", re.compile("two factors"))
    member.goto("/overview/?range=hour")
    expect(member.get_by_role("heading", level=1)).to_have_text("Navy requires two factors")
    member.get_by_role("link", name="Use an authenticator app").click()
    give_code(member)
    member.get_by_role("link", name="Go on to Navy").click()
    member.wait_for_url("**/overview/?range=hour")
    expect(member.get_by_role("heading", level=1)).to_contain_text("Overview")
    context.close()
