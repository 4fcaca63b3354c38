"""The team's endpoints over the API: filters, pages, and never another team's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from requests_app.models import ModelCard, TeamEndpoint
from tests.api.conftest import Caller

PATH = "/api/v1/endpoints/"


def get(caller: Caller, **params: Any) -> Any:
    return Client().get(PATH, params, headers=caller.headers)


def ids(caller: Caller, **params: Any) -> list[str]:
    reply = get(caller, **params)
    assert reply.status_code == 200, reply.content
    return [one["endpoint_id"] for one in reply.json()["items"]]


def keep(caller: Caller, name: str, **flags: bool) -> None:
    TeamEndpoint.objects.create(team=caller.team, endpoint_id=name, **flags)


def test_used_added_and_favourite_ones_come_by_id_with_what_is_known(owner: Caller) -> None:
    row = owner.make("acme/used")
    keep(owner, "acme/used", is_favourite=True)
    keep(owner, "acme/added", is_added=True)
    ModelCard.objects.create(
        endpoint_id="acme/used",
        title="Used",
        category="vision",
        description="Sees.",
        checked_at=timezone.now(),
    )
    told = get(owner).json()
    assert told["next_cursor"] is None
    assert told["items"][0] == {
        "endpoint_id": "acme/added", "title": "", "category": "", "description": "", "favourite": False,
        "added": True, "last_used_at": None,
    }  # fmt: skip
    used = told["items"][1]
    at = used.pop("last_used_at")
    assert at[:19] == row.created_at.isoformat()[:19]
    assert used == {
        "endpoint_id": "acme/used", "title": "Used", "category": "vision", "description": "Sees.", "favourite": True,
        "added": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"favourite": "true"}, ["acme/a"]),
        ({"favourite": "false"}, ["acme/b", "acme/c"]),
        ({"category": "vision"}, ["acme/b"]),
        ({"category": "none"}, []),
        ({"q": "ACME /c"}, ["acme/c"]),
        ({"q": "eyes"}, ["acme/b"]),
        ({"q": "", "category": ""}, ["acme/a", "acme/b", "acme/c"]),
    ],
)
def test_filters_narrow_the_list(owner: Caller, params: Any, found: list[str]) -> None:
    keep(owner, "acme/a", is_favourite=True)
    keep(owner, "acme/b", is_added=True)
    owner.make("acme/c")
    ModelCard.objects.create(
        endpoint_id="acme/b", title="Eyes", category="vision", checked_at=timezone.now()
    )
    assert ids(owner, **params) == found


def test_pages_meet_each_endpoint_once_also_when_one_goes_meanwhile(owner: Caller) -> None:
    for name in "abcde":
        keep(owner, f"acme/{name}", is_added=True)
    first = get(owner, limit=2).json()
    assert [one["endpoint_id"] for one in first["items"]] == ["acme/a", "acme/b"]
    TeamEndpoint.objects.filter(endpoint_id="acme/b").delete()
    second = get(owner, limit=2, cursor=first["next_cursor"]).json()
    assert [one["endpoint_id"] for one in second["items"]] == ["acme/c", "acme/d"]
    last = get(owner, limit=2, cursor=second["next_cursor"]).json()
    assert ([one["endpoint_id"] for one in last["items"]], last["next_cursor"]) == (
        ["acme/e"],
        None,
    )


def test_another_teams_endpoints_are_never_seen(owner: Caller, stranger: Caller) -> None:
    owner.make("acme/used")
    keep(owner, "acme/star", is_favourite=True)
    assert ids(stranger) == ids(stranger, favourite="true") == ids(stranger, q="acme") == []


def test_a_viewer_may_read_it(owner: Caller, teammate: Caller) -> None:
    keep(owner, "acme/star", is_favourite=True)
    assert ids(teammate) == ["acme/star"]


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"favorite": "true"}, "favorite"),
        ({"favourite": "perhaps"}, "favourite"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"q": "x" * 201}, "q"),
        ({"q": "\0"}, "q"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "../x"}, "cursor"),
        ({"page": 2}, "page"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(
    owner: Caller, params: Any, place: str
) -> None:
    reply = get(owner, **params)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["query", place]


def test_there_is_no_list_without_a_token(db: None) -> None:
    assert Client().get(PATH).status_code == 401


def test_it_is_in_the_description(owner: Caller) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    names = {one["name"] for one in paths[PATH]["get"]["parameters"]}
    assert names == {"q", "category", "favourite", "cursor", "limit"}
