"""Downloads over the API: the same search as the list, the team's rows alone."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from tests.api.conftest import Caller
from tests.views.test_batches import whole


def get(who: Caller, **query: str) -> Any:
    return Client().get("/api/v1/export/", query, headers=who.headers)


@pytest.mark.django_db(transaction=True)
def test_what_matches_is_streamed_and_nothing_of_another_team(
    owner: Caller, teammate: Caller, stranger: Caller
) -> None:
    wanted = owner.make("acme/wanted")
    owner.make()
    stranger.make("acme/wanted")
    for who in (owner, teammate):
        lines = async_to_sync(whole)(get(who, q="endpoint:acme/wanted")).splitlines()
        assert [json.loads(line)["id"] for line in lines] == [str(wanted.public_id)]
    table = async_to_sync(whole)(get(owner, format="csv"))
    assert table.count(b"acme/") == 2


@pytest.mark.parametrize(
    ("query", "place"),
    [({"q": "status:odd"}, "q"), ({"format": "xlsx"}, "format"), ({"x": "1"}, "x")],
)
def test_what_cannot_be_asked_is_named(owner: Caller, query: dict[str, str], place: str) -> None:
    reply = get(owner, **query)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["query", place]


@pytest.mark.django_db(transaction=True)
def test_one_run_is_a_file_for_its_team(owner: Caller, teammate: Caller, stranger: Caller) -> None:
    row = owner.make()
    for who in (owner, teammate):
        data = async_to_sync(whole)(who.get(f"{row.public_id}/run/"))
        run = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("run.json"))
        assert run["request"]["id"] == str(row.public_id)
    assert stranger.get(f"{row.public_id}/run/").status_code == 404
