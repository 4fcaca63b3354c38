"""Who gets the file of a run, over the page and the API."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from requests_app.models import FalRequest, Team
from tests.builders import make_request
from tests.views.request_page import url
from tests.views.test_batches import whole


def archive_of(reply: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(async_to_sync(whole)(reply)))


@pytest.mark.django_db(transaction=True)
def test_a_member_and_a_viewer_get_it_as_a_file_that_no_browser_opens(
    as_owner: Client, as_viewer: Client, row: FalRequest
) -> None:
    for client in (as_owner, as_viewer):
        page = client.get(url("detail", row)).text
        assert url("run_file", row) in page
        reply = client.get(url("run_file", row))
        name = f"faldeck-run-{row.public_id}.zip"
        assert reply["Content-Disposition"] == f'attachment; filename="{name}"'
        assert reply["Content-Security-Policy"] == "sandbox; default-src 'none'"
        run = json.loads(archive_of(reply).read("run.json"))
        assert run["request"]["id"] == str(row.public_id)


def test_the_run_of_another_team_does_not_exist(as_owner: Client, stranger: Any) -> None:
    foreign = make_request(team=Team.objects.get(name="Other"), person=stranger)
    assert as_owner.get(url("run_file", foreign)).status_code == 404
    assert Client().get(url("run_file", foreign)).status_code == 302
