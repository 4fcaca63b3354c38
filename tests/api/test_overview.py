"""The figures of the overview over the API: the same as on the page, and refusals in words."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from requests_app.overview import rolling
from tests.api.conftest import Caller
from tests.overview.test_rolling import end, make_at

URL = "/api/v1/overview/"


def get(caller: Caller, address: str) -> HttpResponse:
    return Client().get(address, headers=caller.headers)


def test_the_figures_are_those_of_the_team(owner: Caller) -> None:
    now = timezone.now()
    row = make_at(now - timedelta(hours=2), owner.team, owner.user)
    make_at(now, owner.team, owner.user, "acme/text")
    end(row, row.created_at, error_type="runner_server_error")
    rolling.count_all(now)
    found = get(owner, f"{URL}?range=day&zone=Europe/Berlin").json()
    assert found["ends"] == {
        "total": 2, "completed": 0, "mistakes": 0, "faults": 1, "own_faults": 0, "cancelled": 0, "open": 1,
    }  # fmt: skip
    assert len(found["bars"]) == 24
    assert sum(bar["ends"]["total"] for bar in found["bars"]) == 2
    assert found["failures"] == {"runner_server_error": 1}
    assert found["people"] == {owner.user.username: 2}
    assert found["sources"] == {"page": 2}
    assert found["heard"] == {"poll": 1}
    assert [one["status"] for one in found["in_flight"]] == ["pending"]
    assert found["percent"] == 100
    only = get(owner, f"{URL}?endpoint_id=acme/text&by={owner.user.username}").json()
    assert (only["ends"]["total"], only["failures"]) == (1, {})
    assert get(owner, f"{URL}?by=sven").json()["ends"]["total"] == 0


def test_what_is_not_known_is_refused_in_words(owner: Caller) -> None:
    for query in ("range=year", "zone=Nowhere/City", "zone=%00", "surprise=1"):
        assert get(owner, f"{URL}?{query}").status_code == 422, query
    refused = get(owner, f"{URL}?zone=Nowhere/City").json()["detail"][0]
    assert "Europe/Berlin" in refused["msg"]
    assert Client().get(URL).status_code == 401
