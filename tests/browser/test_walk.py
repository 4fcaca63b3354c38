"""From the list to a request, through the list, and back to the same place, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.process.serving import Serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def walked(installation: Serving) -> list[str]:
    """As many requests that are about walking as need some scrolling; newest first."""
    token = installation.manage("create_token", "--user=grace", "--team=Navy")
    with httpx.Client(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        made = [
            client.post(
                "/api/v1/requests/",
                json={
                    "endpoint_id": "sandbox/large",
                    "input": {"prompt": f"walking {n}"},
                    "allow_duplicate": True,
                },
            )
            for n in range(30)
        ]
    return [reply.json()["id"] for reply in made][::-1]


def link(page: Page, public_id: str) -> Locator:
    return page.locator(f"#request-{public_id} .row-link")


def at(public_id: str) -> re.Pattern[str]:
    return re.compile(rf"/requests/{public_id}/\?q=walking$")


def test_a_request_is_walked_from_and_the_list_is_where_it_was(
    open_page: Callable[..., Page], walked: list[str]
) -> None:
    page = open_page("/requests/?q=walking")
    opened, following = walked[20], walked[21]
    link(page, opened).scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    link(page, opened).click(modifiers=["Shift"])  # without it the panel opens beside the list
    expect(page).to_have_url(at(opened))
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page).to_have_url(at(following))
    page.keyboard.press("k")
    expect(page).to_have_url(at(opened))
    page.keyboard.press("j")
    expect(page).to_have_url(at(following))
    page.get_by_role("link", name="Back").click()
    expect(link(page, following)).to_be_focused()
    expect(link(page, following)).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#part-head")).to_be_visible()
    page.go_forward()
    expect(link(page, following)).to_be_focused()


def test_without_scripts_it_is_walked_too(
    open_page: Callable[..., Page], walked: list[str]
) -> None:
    page = open_page(f"/requests/{walked[1]}/?q=walking", javascript=False)
    page.get_by_role("link", name="Previous").click()
    expect(page).to_have_url(at(walked[0]))
    expect(page.get_by_title("There is no newer one in the list")).to_be_visible()
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(re.compile(rf"/requests/\?q=walking#request-{walked[0]}$"))
