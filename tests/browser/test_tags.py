"""Tags and stars in the list and on a request's page, with scripts."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.process.serving import Serving

pytestmark = pytest.mark.browser


def submitted(serving: Serving) -> str:
    token = serving.manage("create_token", "--user", "grace", "--team", "Navy")
    reply = httpx.post(
        f"{serving.url}/api/v1/requests/",
        json={
            "endpoint_id": "sandbox/echo",
            "input": {"message": "a row"},
            "allow_duplicate": True,
        },
        headers={"Authorization": f"Bearer {token}"},
    ).raise_for_status()
    return str(reply.json()["id"])


def test_a_row_is_tagged_in_a_dialog_and_keeps_its_star(installation: Any, open_page: Any) -> None:
    row_id = submitted(installation)
    page = open_page("/requests/")
    row = page.locator(f"#request-{row_id}")
    star = row.locator("[data-star] button")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    row.locator("[data-dialog=tags-dialog]").click()
    editor = page.locator("#tags-dialog")
    editor.get_by_label("Add tags").fill("Client A")
    editor.get_by_role("button", name="Add", exact=True).click()
    # The changed row is pushed to all pages of the team, and knows no star.
    expect(row.locator(".tag-chip")).to_have_text("client-a")
    expect(star).to_have_attribute("aria-pressed", "true")
    editor.get_by_role("button", name="Take the tag off").click()
    expect(row.locator(".tag-chip")).to_have_count(0)


def test_a_request_is_tagged_on_its_page(installation: Any, open_page: Any) -> None:
    page = open_page(f"/requests/{submitted(installation)}/")
    field = page.get_by_label("Add tags")
    field.fill("draft, hero")
    field.press("Enter")
    expect(page.locator("#part-tags .tag-chip > a")).to_have_text(["draft", "hero"])
    expect(field).to_have_value("")
    page.locator("#part-tags").get_by_role("link", name="hero").click()
    expect(page.locator("tr.row")).to_have_count(1)
