"""The download of what the list shows: the same search, the team's rows alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from requests_app.models import Team
from tests.builders import make_request
from tests.views.test_batches import whole

EXPORT = reverse("requests:export")


def lines(client: Client, **query: str) -> list[dict[str, Any]]:
    reply = client.get(EXPORT, {"format": "jsonl", **query})
    assert reply.status_code == 200
    return [json.loads(line) for line in async_to_sync(whole)(reply).splitlines()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", ["csv", "jsonl", "zip"])
def test_each_format_is_a_file_that_no_browser_opens(as_owner, row, format):
    reply = as_owner.get(EXPORT, {"format": format})
    assert reply["Content-Disposition"].startswith('attachment; filename="requests-')
    assert reply["Content-Disposition"].endswith(f'.{format}"')
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert (str(row.public_id).encode() in async_to_sync(whole)(reply)) or format == "zip"


@pytest.mark.django_db(transaction=True)
def test_the_search_of_the_list_chooses(as_owner, team, owner):
    wanted = make_request(team=team, person=owner, endpoint_id="acme/wanted")
    make_request(team=team, person=owner)
    found = lines(as_owner, q="endpoint:acme/wanted")
    assert [one["id"] for one in found] == [str(wanted.public_id)]
    assert len(lines(as_owner)) == 2


def test_a_search_with_errors_exports_nothing_and_says_why(as_owner, row):
    reply = as_owner.get(EXPORT, {"q": "status:odd"})
    assert reply.status_code == 400
    assert "There is no status odd" in reply.text
    assert as_owner.get(EXPORT, {"format": "xlsx"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_rows_of_another_team_are_never_in_it(as_owner, as_viewer, row, stranger):
    foreign = make_request(team=Team.objects.get(name="Other"), person=stranger)
    for client in (as_owner, as_viewer):
        assert [one["id"] for one in lines(client)] == [str(row.public_id)]
        assert lines(client, q=f"id:{foreign.public_id}") == []


def test_the_list_links_to_it_with_its_search(as_owner, row):
    page = as_owner.get(reverse("requests:list"), {"q": "endpoint:acme/img by:me"}).text
    assert "/requests/export/?format=zip&amp;q=endpoint%3Aacme%2Fimg+by%3Ame" in page
