"""Rows of the table: every value is escaped, whatever made it; what rows look like: tests/views/test_pages.py."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.display.columns import in_order
from requests_app.models import FalRequest, Tag, Tagging, Team
from requests_app.templatetags.rows import RowLook, RowWriter
from requests_app.views.row_html import RowVariant

BAD = """<b x='1' y="2">&"""


def written(row: FalRequest) -> str:
    frame = {"membership": RowVariant(may_submit=True, query=BAD, sees=True), "query": BAD}
    context = {"frame": frame, "row_query": BAD, "csrf_token": BAD, "columns": in_order()}
    return RowWriter(RowLook.of(context)).write(row)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["completed", "failed", "in_queue"])
def test_no_value_is_markup_or_ends_an_attribute(team: Team, owner: User, status: str) -> None:
    owner.username = BAD
    row = FalRequest(
        team=team, person=owner, status=status, created_at=timezone.now(), ended_at=timezone.now()
    )
    row.endpoint_id = row.summary = row.error = row.error_type = row.billable_units = BAD * 9
    row.seed = row.fal_request_id = row.mode = row.origin = row.webhook_verdict = BAD
    tag = Tag(team=team, name=BAD)
    row.shown_taggings = [Tagging(tag=tag)]
    html = written(row)
    assert html.count("&lt;b x=&#x27;1&#x27; y=&quot;2&quot;&gt;&amp;") > 20
    assert "<b " not in html
    assert "{" not in html
    assert not re.search(r"""=\s*"[^"]*"[^\s>/]""", html)


def test_braces_in_a_value_stay_as_they_are(team: Team, owner: User) -> None:
    row = FalRequest(team=team, person=owner, created_at=timezone.now(), summary="{id} {0} {x!r}")
    row.webhook_verdict = None
    assert 'title="{id} {0} {x!r}"' in written(row)
