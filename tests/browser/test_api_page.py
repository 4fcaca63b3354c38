"""The page of the API's documentation: Swagger's, in the product's frame."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PATH = "/api/v1/docs"
IS_INVERTED = "part => getComputedStyle(part).filter.includes('invert(1)')"


@pytest.mark.parametrize(
    ("scheme", "chosen", "is_dark"),
    [
        ("light", None, False),
        ("dark", None, True),
        ("dark", "light", False),
        ("light", "dark", True),
    ],
)
def test_swaggers_parts_follow_the_theme(
    open_page: Any, scheme: str, chosen: str | None, is_dark: bool
) -> None:
    page = open_page(
        PATH, before=lambda page: page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    )
    if chosen:
        page.evaluate("theme => localStorage.setItem('faldeck.theme', theme)", chosen)
        page.reload()
    for part in (".info", ".opblock-tag-section", ".schemes-server-container"):
        expect(page.locator(part).first).to_be_visible()
        assert page.locator(part).first.evaluate(IS_INVERTED) == is_dark, part
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    expect(dialog).to_be_visible()
    assert dialog.evaluate(IS_INVERTED) == is_dark
    # The dialog is fixed to the window: an inverted ancestor would hold it in the middle of a long page.
    box = dialog.bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 800
    assert page.locator("main").evaluate("main => getComputedStyle(main).backgroundColor") == (
        "rgb(26, 27, 30)" if is_dark else "rgb(255, 255, 255)"
    )
