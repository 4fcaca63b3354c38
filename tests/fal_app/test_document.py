"""The document that a real ``fal.App`` serves, pasted for the app: each of its paths has its own form."""

from __future__ import annotations

import httpx
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.catalogue import pasted
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Team
from tests.fal_app.serving import ENDPOINT_ID, FalApp

pytestmark = [pytest.mark.fal, pytest.mark.process]


def paste(app: FalApp, path: str, team: Team, person: User) -> list[str]:
    reply = httpx.get(f"{app.url}/{ENDPOINT_ID}/openapi.json")
    assert reply.status_code == 200
    endpoint, now = EndpointId.parse(ENDPOINT_ID + path), timezone.now()
    entry = pasted.paste(team, endpoint, reply.content, person=person, now=now)
    assert entry.known is not None
    assert entry.known.document.output_schema() is not None or path == "/stream"
    return [field.name for field in entry.known.fields]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("", ["prompt", "steps", "seconds"]),
        ("/slash", ["prompt", "steps", "seconds"]),
        ("/stream", ["name", "count", "delay_s", "fail_at", "is_marked"]),
        ("/realtime", ["number"]),
    ],
)
def test_each_path_of_an_app_has_its_form(
    fal_app: FalApp, team: Team, owner: User, path: str, fields: list[str]
) -> None:
    assert paste(fal_app, path, team, owner) == fields


def test_a_path_that_the_app_has_not_is_named_with_those_it_has(
    fal_app: FalApp, team: Team, owner: User
) -> None:
    with pytest.raises(pasted.PasteRefused, match=r"no POST /nope .* It has: /, /raise, /slash/,"):
        paste(fal_app, "/nope", team, owner)
