"""Media in the file of a run become copies of the team that imports it, within what it keeps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from requests_app.models import CopyState, FalRequest, KeptFile, MediaCopy, Team
from tests.browsers import Browser
from tests.copies.media import states, switch_on
from tests.runfile.test_reading import files_of, packed, signed
from tests.runfile.test_writing import ended
from tests.views.test_kept_media import body as body_of

__all__ = ["ended"]  # the fixture

URL, OTHER = "https://v3.fal.media/files/a.png", "https://v3.fal.media/files/b.png"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> None:
    """Where the files are."""
    settings.DATA_DIR = tmp_path
    local = {"BACKEND": "requests_app.copies.local.LocalStore", "OPTIONS": {"location": tmp_path / "copies"}}  # fmt: skip
    settings.STORAGES = {**settings.STORAGES, "copies": local}


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(made, "PNG")
    return made.getvalue()


def sent(client: Browser, row: FalRequest, content: bytes) -> FalRequest:
    """Import the run of a row whose output names two pictures, one of which is in the zip."""
    body = f'{{"images": [{{"url": "{URL}"}}, {{"url": "{OTHER}"}}]}}'.encode()

    def change(run: dict[str, Any]) -> None:
        run["request"]["output_size"] = len(body)
        run["media"] = [
            {"place": "output", "url": URL, "content_type": "text/html", "file": "media/001.png"},
            {"place": "output", "url": OTHER, "content_type": "", "file": None},
            {"place": "output", "url": "https://x.example/", "file": "input.json"},
        ]

    files = signed(files_of(row) | {"output.json": body, "media/001.png": content}, change)
    data = SimpleUploadedFile("run.zip", packed(files).getvalue())
    reply = client.post(reverse("requests:import_run"), {"file": data})
    assert reply.status_code == 302, reply.text
    return FalRequest.objects.get(origin="imported")


def test_what_the_zip_has_is_kept_once_and_served_and_the_rest_waits_to_be_fetched(
    ended: FalRequest, as_owner: Browser, team: Team
) -> None:
    rules = switch_on(team)
    row = sent(as_owner, ended, picture())
    assert states(row) == [CopyState.KEPT, CopyState.WAITING]
    [kept] = KeptFile.objects.all()
    rules.refresh_from_db()
    assert (kept.size, rules.used_bytes) == (len(picture()), len(picture()))
    page = as_owner.get(reverse("requests:detail", args=[row.public_id])).text
    assert "It was imported: what it cost was paid elsewhere." in page
    reply = as_owner.get(reverse("requests:kept_media", args=[row.public_id, 1]))
    assert (reply["Content-Type"], "sandbox" in reply["Content-Security-Policy"]) == ("image/png", True)  # fmt: skip
    assert body_of(reply) == picture()


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({"is_on": False}, []),
        ({"images": False}, []),
        ({"quota_bytes": 10}, [CopyState.OVER_QUOTA, CopyState.WAITING]),
        ({"largest_bytes": 10}, [CopyState.TOO_LARGE, CopyState.WAITING]),
    ],
)
def test_no_more_is_kept_than_the_team_wants(
    ended: FalRequest, as_owner: Browser, team: Team, rules: dict[str, Any], found: list[str]
) -> None:
    switch_on(team, **rules)
    assert states(sent(as_owner, ended, picture())) == found
    assert not KeptFile.objects.exists()


def test_what_is_no_picture_is_kept_as_bytes_that_no_page_shows(
    ended: FalRequest, as_owner: Browser, team: Team
) -> None:
    switch_on(team)
    row = sent(as_owner, ended, b"<script>alert(1)</script>")
    assert MediaCopy.objects.get(request=row, number=1).shown_type == ""
