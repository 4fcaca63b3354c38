"""Each optional column of the list has one cell and a style that hides it; any of them can come first."""

from __future__ import annotations

import re

from requests_app.display.columns import COLUMNS, in_order
from requests_app.templatetags.rows import OPTIONAL
from tests.source import text_of


def test_the_first_ones_lead_and_the_rest_follow_in_the_usual_order() -> None:
    usual = list(COLUMNS.values())
    assert in_order() == usual
    seed, cost = COLUMNS["seed"], COLUMNS["cost"]
    rest = [column for column in usual if column not in (seed, cost)]
    assert in_order(("cost", "seed")) == [cost, seed, *rest]


def test_each_optional_column_has_one_cell_and_a_style_that_hides_it() -> None:
    cells = [(name, re.findall(r'<td class="([\w -]+)"', cell)) for name, cell in OPTIONAL.items()]
    assert cells == [(column.name, [column.classes]) for column in COLUMNS.values()]
    for name in COLUMNS:
        assert f".requests:not(.with-{name}) .row-{name}" in text_of("static/css/list/row.css")
