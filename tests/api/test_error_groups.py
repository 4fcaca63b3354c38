"""Errors grouped over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from requests_app.rules.error_sentence import id_of
from tests.api.conftest import Caller
from tests.error_groups.conftest import count_all, fail, only_group

PATH = "/api/v1/errors/"


def get(caller: Caller, path: str = "") -> Any:
    return Client().get(PATH + path, headers=caller.headers)


def post(caller: Caller, path: str, note: str = "") -> Any:
    body = {"note": note} if note else {}
    return Client().post(PATH + path, body, content_type="application/json", headers=caller.headers)


@pytest.fixture
def group_id(owner: Caller) -> str:
    """The id of a group of two requests."""
    for number in (1, 2):
        fail(owner.team, owner.user, f"Worker {number} died")
    return id_of(only_group().key)


def test_groups_are_listed_and_read(owner: Caller, group_id: str) -> None:
    page = get(owner).json()
    assert page["next_page"] is None
    [item] = page["items"]
    assert item == get(owner, f"{group_id}/").json()
    told = {"id": group_id, "endpoint_id": "acme/img", "error_type": "died", "sentence": "Worker <n> died",
            "state": "open", "regressed": False, "count": 2, "day": 2, "week": 2, "people": 1, "resolved_by": None,
            "search": f"group:{group_id}"}  # fmt: skip
    assert {name: item[name] for name in told} == told
    found = owner.get(f"?q=group:{group_id}").json()["items"]
    assert len(found) == 2


def test_they_are_filtered_ordered_and_paged(owner: Caller, group_id: str) -> None:
    fail(owner.team, owner.user, "Other", endpoint_id="acme/vid")
    count_all()

    def names(query: str) -> list[str]:
        return [item["sentence"] for item in get(owner, query).json()["items"]]

    assert names("?sort=count") == ["Worker <n> died", "Other"]
    assert names("?endpoint=acme/vid") == names("?type=died&limit=1") == ["Other"]
    assert names("?person=no-such%00user") == names("?state=resolved") == []
    first = get(owner, "?limit=1").json()
    assert first["next_page"] == 2
    assert names("?limit=1&page=2") == ["Worker <n> died"]
    for wrong in ("state=odd", "page=0", "limit=1000", "sort=x"):
        assert get(owner, f"?{wrong}").status_code == 422


def test_a_group_is_resolved_ignored_and_reopened(owner: Caller, group_id: str) -> None:
    told = post(owner, f"{group_id}/resolve/", "mended").json()
    assert told["done"] is True
    assert (told["group"]["state"], told["group"]["resolved_by"]) == (
        "resolved",
        owner.user.username,
    )
    assert post(owner, f"{group_id}/resolve/").json()["done"] is False
    assert post(owner, f"{group_id}/ignore/").json()["group"]["state"] == "ignored"
    assert post(owner, f"{group_id}/reopen/").json()["group"]["state"] == "open"
    assert only_group().decisions.get(kind="resolved").note == "mended"
    assert post(owner, f"{group_id}/resolve/", "x" * 1001).status_code == 422


def test_it_exists_for_its_team_alone_and_a_reader_decides_nothing(
    owner: Caller, teammate: Caller, stranger: Caller, group_id: str
) -> None:
    missing = get(owner, f"{'0' * 16}/")
    assert missing.status_code == 404
    for path in (f"{group_id}/", "odd/"):
        reply = get(stranger, path)
        assert (reply.status_code, reply.content) == (404, missing.content)
    assert get(stranger).json()["items"] == []
    assert post(stranger, f"{group_id}/resolve/").status_code == 404
    assert get(teammate, f"{group_id}/").status_code == 200
    assert post(teammate, f"{group_id}/resolve/").status_code == 403
