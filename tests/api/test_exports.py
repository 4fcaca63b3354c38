"""Exports in the background over the API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.utils import timezone

from requests_app.export import job_files
from requests_app.models import Export
from tests.api.conftest import Caller
from tests.views.test_batches import whole

EXPORTS = "/api/v1/exports/"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def call(who: Caller, method: str, path: str = "", body: Any = None, **headers: str) -> Any:
    return Client().generic(
        method, EXPORTS + path, body or "", "application/json", headers=who.headers | headers
    )


@pytest.mark.django_db(transaction=True)
def test_a_program_asks_once_follows_and_downloads(
    owner: Caller, teammate: Caller, stranger: Caller
) -> None:
    body = '{"q": "status:failed", "format": "csv"}'
    made = [call(owner, "POST", body=body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    export = Export.objects.get()
    path = f"{export.public_id}/"
    shown = call(owner, "GET", path).json()
    assert (shown["state"], shown["search"], shown["left_s"]) == ("running", "status:failed", None)
    assert call(owner, "GET", f"{path}file/").status_code == 410
    job_files.place(export.public_id).parent.mkdir()
    job_files.place(export.public_id).write_bytes(b"a,b\r\n")
    expires_at = timezone.now() + timedelta(hours=1)
    Export.objects.update(state="finished", size=5, expires_at=expires_at)
    for who in (owner, teammate):
        assert async_to_sync(whole)(call(who, "GET", f"{path}file/")) == b"a,b\r\n"
        assert len(call(who, "GET").json()) == 1
    assert call(teammate, "DELETE", path).status_code == 403
    for where in (path, f"{path}file/"):
        assert call(stranger, "GET", where).status_code == 404
    assert call(stranger, "DELETE", path).status_code == 404
    assert call(owner, "DELETE", path).json()["state"] == "gone"
    assert call(owner, "GET", f"{path}file/").status_code == 410


@pytest.mark.parametrize(
    "body", ['{"q": "status:odd"}', '{"format": "xlsx"}', '{"x": 1}', '{"q": 1}']
)
def test_what_cannot_be_asked_stores_nothing(owner: Caller, body: str) -> None:
    assert call(owner, "POST", body=body).status_code == 422
    assert not Export.objects.exists()
