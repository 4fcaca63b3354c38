"""Made-up rows: shown and found like real ones, and never among real ones by accident."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from requests_app.models import ENDED, FalRequest, SearchEntry, Team
from requests_app.search import Matches, Scope, parse_search
from tests.builders import make_request


def test_they_are_shown_and_found(team: Team, owner: User, as_owner: Client) -> None:
    call_command("make_rows", "300")
    rows = FalRequest.objects.order_by("pk")
    assert rows.count() == SearchEntry.objects.count() == 300
    assert {row.status for row in rows} == ENDED
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert len({row.public_id for row in rows}) == 300
    assert "take 299" in as_owner.get("/requests/").text
    found = Matches(Scope(team.pk, "olga", sees=True), parse_search('"take 299"')).newest(9)
    assert found == [rows[299].pk]


def test_they_are_not_made_among_real_ones_unless_told(team: Team, owner: User) -> None:
    make_request(team=team, person=owner)
    with pytest.raises(CommandError, match="cannot be told from them"):
        call_command("make_rows", "3")
    call_command("make_rows", "3", "--beside-real")
    assert FalRequest.objects.count() == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["0"], "from 1 to"),
        (["3", "--team", "Nowhere"], "There is no team 'Nowhere'"),
        (["3", "--team", "Empty"], "has no members"),
        (["3"], "Name the team"),
    ],
)
def test_what_cannot_be_done_is_said(
    team: Team, owner: User, arguments: list[str], words: str
) -> None:
    Team.objects.create(name="Empty")
    with pytest.raises(CommandError, match=words):
        call_command("make_rows", *arguments)
    assert not FalRequest.objects.exists()
