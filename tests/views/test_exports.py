"""The pages of exports: who sees them, what they say, and the file."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.export import job_files, jobs
from requests_app.models import Export, FalRequest, Team
from tests.builders import make_request
from tests.views.test_batches import whole

EXPORTS = reverse("requests:exports")


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def at(name: str, export: Export) -> str:
    return reverse(f"requests:{name}", args=[export.public_id])


def made(team: Team, person: Any, **columns: Any) -> Export:
    """An export with its file."""
    now = timezone.now()
    values = {
        "state": "finished",
        "expires_at": now + timedelta(hours=1),
        "size": 5,
        "format": "csv",
    }
    export = Export.objects.create(
        team=team,
        person=person,
        token=str(Export.objects.count()),
        created_at=now,
        **values | columns,
    )
    place = job_files.place(export.public_id)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"a,b\r\n")
    return export


def post(client: Client, team: Team, address: str, **fields: str) -> Any:
    return client.post(address, {"made_for": str(team.pk), **fields})


def test_more_than_a_direct_download_takes_leads_to_the_form(
    as_owner: Client, team: Team, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests_app.views.export.BEYOND", 2)
    monkeypatch.setattr("requests_app.views.exports.BEYOND", 2)
    for _ in range(3):
        make_request(team=team, person=owner)
    reply = as_owner.get(reverse("requests:export"), {"q": "mode:queue", "format": "zip"})
    assert reply.status_code == 302
    page = as_owner.get(reply["Location"]).text
    assert "More than 2 requests match" in page
    assert 'value="mode:queue"' in page
    assert re.search(r'value="zip"\s+checked', page)
    assert "direct=1" in page


@pytest.mark.django_db(transaction=True)
def test_a_direct_download_stays_possible(
    as_owner: Client, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("requests_app.views.export.BEYOND", 0)
    reply = as_owner.get(reverse("requests:export"), {"direct": "1", "format": "jsonl"})
    assert str(row.public_id) in async_to_sync(whole)(reply).decode()


def test_a_form_begins_one_export_however_often_it_is_sent(
    as_owner: Client, as_viewer: Client, team: Team
) -> None:
    for client in (as_owner, as_viewer):
        reply = post(client, team, EXPORTS, q="status:failed", format="csv", token="one")
        assert reply.status_code == 302
    export = Export.objects.get()
    assert (export.search, export.state) == ("status:failed", "running")
    page = as_owner.get(at("export_job", export)).text
    assert "waiting" in page
    assert "Stop it" in page
    assert 'hx-trigger="every 2s"' in page
    assert "status:failed" in as_owner.get(EXPORTS).text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"q": "status:odd", "format": "csv"}, "There is no status odd"),
        ({"q": "", "format": "xlsx"}, "xlsx"),
    ],
)
def test_what_cannot_be_exported_is_said_and_kept_in_the_form(
    as_owner: Client, team: Team, fields: dict[str, str], sentence: str
) -> None:
    reply = post(as_owner, team, EXPORTS, token="one", **fields)
    assert reply.status_code == 422
    assert sentence in reply.text
    assert f'value="{fields["q"]}"' in reply.text
    assert not Export.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_file_is_a_download_until_its_time_is_over(
    as_owner: Client, team: Team, owner: Any
) -> None:
    export = made(team, owner)
    reply = as_owner.get(at("export_file", export))
    assert async_to_sync(whole)(reply) == b"a,b\r\n"
    assert reply["Content-Disposition"].startswith('attachment; filename="requests-')
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    late = as_owner.get(at("export_file", export))
    assert (late.status_code, "time was over" in late.text) == (410, True)


def test_a_member_deletes_and_stops(as_owner: Client, team: Team, owner: Any) -> None:
    export, running = made(team, owner), made(team, owner, state="running", expires_at=None)
    post(as_owner, team, at("delete_export", export))
    post(as_owner, team, at("stop_export", running))
    assert sorted(Export.objects.values_list("state", flat=True)) == ["gone", "stopped"]
    assert not job_files.place(export.public_id).exists()
    page = as_owner.get(at("export_file", export))
    assert (page.status_code, jobs.DELETED in page.text) == (410, True)
    changed = as_owner.get(at("export_live", running), {"was": "running"})
    assert changed["HX-Refresh"] == "true"


def test_an_export_of_another_team_does_not_exist(
    as_owner: Client, team: Team, stranger: Any
) -> None:
    foreign = made(Team.objects.get(name="Other"), stranger)
    for name in ("export_job", "export_live", "export_file"):
        assert as_owner.get(at(name, foreign)).status_code == 404
    for name in ("stop_export", "delete_export"):
        assert post(as_owner, team, at(name, foreign)).status_code == 404
    assert str(foreign.public_id) not in as_owner.get(EXPORTS).text
    foreign.refresh_from_db()
    assert foreign.state == "finished"
