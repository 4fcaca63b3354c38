"""Errors grouped, with scripts: new failures come by themselves, and what was resolved comes back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.process.serving import Serving

pytestmark = pytest.mark.browser

ENDPOINT = "sandbox/no-such-model-of-this-test"


def failed(serving: Serving) -> str:
    """A request that fails; return its id."""
    token = serving.manage("create_token", "--user", "grace", "--team", "Navy")
    reply = httpx.post(
        f"{serving.url}/api/v1/requests/?wait=60",
        json={"endpoint_id": ENDPOINT, "input": {}, "allow_duplicate": True},
        headers={"Authorization": f"Bearer {token}"},
        timeout=90,
    ).raise_for_status()
    assert reply.json()["status"] == "failed"
    return str(reply.json()["id"])


@pytest.mark.long
def test_a_group_comes_by_itself_is_resolved_and_comes_back(
    installation: Any, open_page: Any
) -> None:
    failed(installation)
    page = open_page("/errors/")
    group = page.locator(".error-table tr", has_text=ENDPOINT)
    # The page was there before the worker had counted, or comes after: it follows either way.
    expect(group.get_by_text("open", exact=True)).to_be_visible()
    group.get_by_role("link").click()
    page.get_by_label("Note").fill("the model is there now")
    page.get_by_role("button", name="Resolve").click()
    live = page.locator("#errors-live")
    expect(live.get_by_text("resolved", exact=True).first).to_be_visible()
    expect(live.get_by_text("the model is there now")).to_be_visible()
    row_id = failed(installation)
    expect(live.get_by_text("regressed", exact=True)).to_be_visible()
    expect(live.locator(f"a[href*='{row_id}']")).to_be_visible()
