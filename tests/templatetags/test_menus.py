"""Menus above the list: every value is escaped; what they lead to: tests/views/test_filter_bar.py."""

from __future__ import annotations

import re

import pytest

from requests_app.templatetags.menus import filter_menu, menu_choices, table_columns
from requests_app.views.listing import Chip

BAD = """<b x='1' y="2">&"""
SAFE = "&lt;b x=&#x27;1&#x27; y=&quot;2&quot;&gt;&amp;"


def test_no_value_is_markup_or_ends_an_attribute() -> None:
    html = filter_menu(
        BAD, (Chip(BAD, BAD, "", chosen=True), Chip(BAD, BAD, "", chosen=False)), BAD
    )
    assert html.count(SAFE) == 6
    assert "<b " not in html


def test_the_chosen_one_is_marked_and_named_on_the_button() -> None:
    html = filter_menu(
        "Sort", (Chip("Newest", "/n", "", False), Chip("Dearest", "/d", "", True)), "Dearest"
    )
    assert re.findall(r'href="([^"]*)" aria-current="true"', html) == ["/d"]
    assert html.count('aria-label="chosen"') == 1
    assert '<span class="visually-hidden">Sort: </span>Dearest' in html
    assert "visually-hidden" not in filter_menu("Sort", (), "")


def test_nothing_to_choose_is_an_empty_menu() -> None:
    assert menu_choices(()) == ""


@pytest.mark.parametrize(
    ("look", "shown"),
    [("plain", []), ("compact", []), ("seed.id.compact", ["seed", "id"]), ("id.nonsense", ["id"])],
)
def test_the_columns_of_a_look_come_first(look: str, shown: list[str]) -> None:
    columns = table_columns(look)
    assert [column.name for column, is_shown in columns if is_shown] == shown
    assert [column.name for column, _ in columns[: len(shown)]] == shown
    assert len(columns) == len(table_columns("plain"))
