"""Pushed rows: of the team alone, and without what belongs to one reader."""

from __future__ import annotations

import re

import pytest

from requests_app.display.columns import COLUMNS
from requests_app.models import FalRequest, Team
from requests_app.views.row_html import RowVariant, pushed_rows

pytestmark = pytest.mark.django_db
MEMBER = RowVariant(may_submit=True, query="?team=5", sees=True)
VIEWER = RowVariant(may_submit=False, query="", sees=True)


def test_each_variant_has_its_own_rendering(row: FalRequest) -> None:
    found = pushed_rows(row.team_id, [row.public_id], [MEMBER, VIEWER])
    assert f"request-{row.public_id}" in found[MEMBER]
    assert ["cancel/" in found[one] for one in (MEMBER, VIEWER)] == [True, False]
    assert "?team=5" in found[MEMBER]


def test_a_foreign_row_is_not_there(row: FalRequest) -> None:
    other = Team.objects.create(name="Other")
    assert pushed_rows(other.pk, [row.public_id], [MEMBER])[MEMBER].strip() == ""


def test_no_secret_of_a_reader_is_shared(row: FalRequest) -> None:
    assert "csrf" not in pushed_rows(row.team_id, [row.public_id], [MEMBER])[MEMBER]


def test_a_pushed_row_has_all_optional_cells_in_the_usual_order(row: FalRequest) -> None:
    html = pushed_rows(row.team_id, [row.public_id], [VIEWER])[VIEWER]
    assert re.findall(r'<td class="row-(\w+) row-more"', html) == list(COLUMNS)
