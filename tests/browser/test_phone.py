"""At 390 px: nothing overflows, and what is pressed is large enough for a thumb."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

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
