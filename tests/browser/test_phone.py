"""At 390 px: nothing overflows, and what is pressed is large enough for a thumb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.process.serving import Serving

pytestmark = pytest.mark.browser


def test_the_account_menu_is_a_menu_of_tall_plain_lines(open_page: Any) -> None:
    page = open_page("/requests/", width=390)
    page.get_by_label("Your account").click()
    items = page.locator(".menu[open] .menu-item:visible")
    expect(items.first).to_be_visible()
    looks = items.evaluate_all(
        "items => items.map(item => [item.getBoundingClientRect().height >= 44, getComputedStyle(item).backgroundColor])"
    )
    assert len(looks) >= 5
    assert all(look == [True, "rgba(0, 0, 0, 0)"] for look in looks), looks


PAGES = (
    "/requests/",
    "/requests/new/",
    "/settings/",
    "/overview/",
    "/settings/notices/",
    "/settings/code/",
    "/settings/times/",
    "/settings/sessions/",
    "/invitations/",
    "/accounts/password/change/",
    "/accounts/logout/",
)
SMALL = """() => [...document.querySelectorAll("button, a.button, a.nav-link, .footer a, summary, select, input, textarea")]
  .filter((element) => element.type !== "hidden" && !element.matches(".visually-hidden[tabindex='-1']") && element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((element) => [element, (["checkbox", "radio"].includes(element.type) && element.closest("label")) || element])
  .filter(([, area]) => Math.min(area.getBoundingClientRect().width, area.getBoundingClientRect().height) < 43.5)
  .map(([element, area]) => `${element.outerHTML.slice(0, 80)} ${area.getBoundingClientRect().width}x${area.getBoundingClientRect().height}`)"""


@pytest.fixture(scope="module")
def one_request(installation: Serving) -> None:
    """A list with a row of each mode: the empty one has neither search nor filters."""
    token = installation.manage("create_token", "--user", "grace", "--team", "Navy")
    for mode in ("queue", "run"):
        httpx.post(
            f"{installation.url}/api/v1/requests/",
            json={"endpoint_id": "sandbox/echo", "mode": mode, "input": {"message": "a row"}},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()


@pytest.mark.usefixtures("one_request")
@pytest.mark.parametrize("path", PAGES)
def test_nothing_overflows_and_targets_are_44_px(open_page: Any, path: str) -> None:
    page = open_page(path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(SMALL) == []


CLIPPED = """elements => elements.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.trim())"""


@pytest.mark.usefixtures("one_request")
@pytest.mark.parametrize("mode", ["queue", "run"])
def test_a_row_names_the_whole_endpoint_and_the_actions_of_its_page_fit(
    open_page: Any, mode: str
) -> None:
    page = open_page(
        f"/requests/?q=endpoint:sandbox/echo+status:completed+mode:{mode}+a+row", width=390
    )
    row = page.locator(".row").first
    name = row.locator(".row-name")
    expect(name).to_be_visible()
    boxes = row.evaluate(
        """row => [".row-name", ".badge"].map((one) => row.querySelector(one).getBoundingClientRect().toJSON())"""
    )
    assert boxes[0]["top"] >= boxes[1]["bottom"]
    assert name.evaluate_all(CLIPPED) == []
    page.goto(row.locator("a.row-link").get_attribute("href"))
    actions = page.locator(".request-actions .button:visible")
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    assert actions.evaluate_all(CLIPPED) == []
    # A word that wraps makes its button taller than the others.
    heights = actions.evaluate_all("all => all.map((one) => one.getBoundingClientRect().height)")
    assert set(heights) == {44}


@pytest.fixture
def fresh(installation: Serving) -> Iterator[str]:
    """A team in which nothing has been sent, for grace to look at."""
    installation.manage("create_team", "Fresh", "--owner", "grace")
    code = "from requests_app.models import Team; print(Team.objects.get(name='Fresh').pk)"
    yield installation.manage("shell", "-c", code).split()[-1]
    installation.manage(
        "shell",
        "-c",
        "from requests_app.models import Team; Team.objects.filter(name='Fresh').delete()",
    )


def test_the_first_use_fits_on_every_page_that_shows_it(open_page: Any, fresh: str) -> None:
    for path in ("/requests/", "/requests/gallery/", "/overview/"):
        page = open_page(f"{path}?team={fresh}", width=390)
        expect(page.locator(".example")).to_have_count(3)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_leaving_a_team_is_asked_with_its_consequence(open_page: Any, javascript: bool) -> None:
    page = open_page("/settings/", width=390, javascript=javascript)
    page.get_by_text("Leave the team").first.click()
    ask = page.locator(".ask[open] form")
    expect(ask).to_contain_text("You lose access to this team")
    box = ask.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    ask.get_by_role("button", name="Leave the team").click()
    expect(page.locator(".notice-error")).to_contain_text("A team needs an owner")
