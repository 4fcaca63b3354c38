"""A program imports the file of a run: as the body, or as a file of a form."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from requests_app.models import FalRequest
from tests.api.conftest import BASE, Caller
from tests.builders import hear, make_queued, make_result
from tests.runfile.test_reading import files_of, packed

IMPORT = f"{BASE}import/"


def test_the_body_or_a_form_is_taken_and_the_same_run_once(owner: Caller) -> None:
    row = make_queued(team=owner.team, person=owner.user)
    hear(row, make_result())
    data = packed(files_of(row)).getvalue()
    client = Client(headers=owner.headers)
    made = client.post(IMPORT, data, content_type="application/zip")
    assert (made.status_code, made.json()["origin"]) == (201, "imported")
    again = client.post(IMPORT, {"file": SimpleUploadedFile("run.zip", data)})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert FalRequest.objects.filter(origin="imported").count() == 1


def test_what_is_no_run_is_refused_with_a_sentence(owner: Caller) -> None:
    client = Client(headers=owner.headers)
    for body in (b"", b"no zip", b"{}"):
        refused = client.post(IMPORT, body, content_type="application/zip")
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["msg"] == "The file is not a zip."
    empty = client.post(IMPORT, {})
    assert "no file of the name file" in empty.json()["detail"][0]["msg"]
    assert Client().post(IMPORT, b"", content_type="application/zip").status_code == 401


def test_a_body_over_the_limit_is_refused(owner: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client = Client(headers=owner.headers)
    refused = client.post(IMPORT, b"x" * 1001, content_type="application/zip")
    assert refused.status_code == 413
    assert "takes 1,000 bytes" in refused.json()["detail"]
