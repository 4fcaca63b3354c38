"""The page that imports the file of a run, and what the pages say of an imported one."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from requests_app.models import FalRequest
from tests.browsers import Browser
from tests.runfile.test_reading import files_of, in_request, packed, signed
from tests.runfile.test_writing import ended

__all__ = ["ended"]  # the fixture

IMPORT = reverse("requests:import_run")


def sent(client: Client, data: bytes) -> Any:
    return client.post(IMPORT, {"file": SimpleUploadedFile("run.zip", data)})


def test_the_file_becomes_a_request_that_says_where_it_comes_from(
    ended: FalRequest, as_owner: Browser
) -> None:
    data = packed(files_of(ended)).getvalue()
    assert "The file of a run" in as_owner.get(IMPORT).text
    assert IMPORT in as_owner.get("/requests/").text
    reply = sent(as_owner, data)
    row = FalRequest.objects.get(origin="imported")
    assert reply["Location"] == reverse("requests:detail", args=[row.public_id])
    page = " ".join(as_owner.get(reply["Location"]).text.split())
    assert "Imported by olga" in page
    assert FalRequest.objects.get(pk=ended.pk).fal_request_id in page
    assert "History from the file" in page and "look at the sky" in page
    assert (
        '<span class="row-mode">imported</span>'
        in as_owner.get("/requests/?q=source:imported+scale").text
    )
    again = as_owner.get(f"{reverse('requests:new')}?again={row.public_id}").text
    assert "7.50" in again
    reply = sent(as_owner, data)
    assert "This run is here already" in reply.text
    assert str(row.public_id) in reply.text
    assert FalRequest.objects.filter(origin="imported").count() == 1


def test_what_is_no_run_is_refused_with_a_sentence(
    ended: FalRequest, as_owner: Browser, as_viewer: Browser
) -> None:
    reply = sent(as_owner, b"no zip")
    assert reply.status_code == 422
    assert "The file is not a zip." in reply.text
    assert "Choose the file of a run" in as_owner.post(IMPORT).text
    odd = signed(files_of(ended), in_request(endpoint_id="<b>\0"))
    reply = sent(as_owner, packed(odd).getvalue())
    assert (reply.status_code, "<b>\0" in reply.text) == (422, False)
    assert sent(as_viewer, packed(files_of(ended)).getvalue()).status_code == 403
    assert "Import a run" not in as_viewer.get("/requests/").text
    assert not FalRequest.objects.filter(origin="imported").exists()


def test_an_imported_run_is_of_its_team_alone(
    ended: FalRequest, as_owner: Browser, as_stranger: Browser
) -> None:
    sent(as_owner, packed(files_of(ended)).getvalue())
    row = FalRequest.objects.get(origin="imported")
    address = reverse("requests:detail", args=[row.public_id])
    assert as_stranger.get(address).status_code == 404


def test_a_history_with_odd_characters_is_shown(ended: FalRequest, as_owner: Browser) -> None:
    line = b'{"kind": "note", "note": "a\\u0000b<i>", "heard_at": "2026-11-01T00:00:00Z"}\n'
    odd = signed({**files_of(ended), "observations.jsonl": line})
    page = as_owner.get(sent(as_owner, packed(odd).getvalue())["Location"]).text
    assert "a\ufffdb&lt;i&gt;" in page
    assert "\0" not in page
