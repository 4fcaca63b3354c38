"""The search box's completions over HTTP."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from pytest import MonkeyPatch

from requests_app.models import Team
from requests_app.uploads.rate import Rate
from requests_app.views import completion
from tests.builders import make_request


def test_they_are_of_the_pages_team(
    as_owner: Client, as_stranger: Client, team: Team, owner: User
) -> None:
    make_request(team=team, person=owner, endpoint_id="acme/only-here")
    asked = "/requests/completions/?typed=endpoint:only"
    assert as_owner.get(asked).json() == {
        "items": [{"text": "endpoint:acme/only-here", "about": ""}]
    }
    assert as_stranger.get(asked).json() == {"items": []}
    assert Client().get(asked).status_code == 302
    assert as_owner.get("/requests/completions/?typed=%00%ff").status_code == 200


def test_a_loop_in_a_page_is_stopped(as_owner: Client, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "_rate", Rate(most=1, period_s=600))
    replies = [as_owner.get("/requests/completions/?typed=st").status_code for _ in range(2)]
    assert replies == [200, 429]
