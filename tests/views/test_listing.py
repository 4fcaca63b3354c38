"""What the list shows for a search that was not understood."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import escape

from requests_app.models import Team
from tests.builders import make_request
from tests.views.test_pages import ids

BAD = [
    "status:brilliant",
    "lighthousestatus:failed",
    "colour:red sunset",
    "-colour:red",
    "status:",
    "mode:fast",
    'sunset "red',
    "endpoint:a*b",
    "\u200b",
    "x" * 201,
]


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("path", ["", "rows/", "counts/"])
def test_a_search_that_is_not_understood_never_shows_everything(
    as_owner: Client, team: Team, owner: User, bad: str, path: str
) -> None:
    row = make_request(team=team, person=owner)
    page = as_owner.get(f"/requests/{path}", {"q": bad, "ids": row.public_id}).text
    assert ids(page) == []
    assert "data-rows" not in page
    assert "Show all requests" in page or path
    assert not re.search(r"chip-count\">[^0]", page)


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD)
def test_a_search_that_is_not_understood_keeps_the_last_result(
    as_owner: Client, team: Team, owner: User, bad: str
) -> None:
    lake = make_request(team=team, person=owner, input={"prompt": "a lake"})
    make_request(team=team, person=owner, input={"prompt": "a sunset"})
    good = as_owner.get("/requests/?q=lake").text
    [last] = re.findall(r'<input type="hidden" name="last" value="([^"]*)">', good)
    for asked in (bad, "status:odd"):  # also when the next one is wrong as well
        page = as_owner.get("/requests/", {"q": asked, "last": last}).text
        assert ids(page) == [str(lake.public_id)]
        assert 'role="alert"' in page
        assert f'value="{escape(asked)}"' in page
        assert 'data-query="q=lake"' in page
        assert re.findall(r'<input type="hidden" name="last" value="([^"]*)">', page) == [last]


@pytest.mark.parametrize("last", ["", "status:odd", "colour:red"])
def test_a_last_search_that_says_nothing_shows_nothing(
    as_owner: Client, team: Team, owner: User, last: str
) -> None:
    make_request(team=team, person=owner)
    assert ids(as_owner.get("/requests/", {"q": "colour:red", "last": last}).text) == []


def test_a_search_that_is_understood_ignores_the_one_before(
    as_owner: Client, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    assert ids(as_owner.get("/requests/?q=sunset&last=lake").text) == [str(row.public_id)]
