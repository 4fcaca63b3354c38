"""Starting an upload over the API."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.test import Client

from requests_app.uploads import starting
from requests_app.uploads.rate import Rate
from tests.api.conftest import Caller

FILE = {"name": "a.txt", "content_type": "text/plain", "size": 5}


@pytest.fixture(autouse=True)
def _fresh_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "rate", Rate())


def call(caller: Caller, body: Any) -> Any:
    return Client().post(
        "/api/v1/uploads/",
        json.dumps(body),
        content_type="application/json",
        headers=caller.headers,
    )


def test_a_program_sends_a_file_without_the_key(owner: Caller, at_sandbox: Any) -> None:
    reply = call(owner, FILE)
    assert reply.status_code == 200, reply.content
    told = reply.json()
    assert "sandbox:sandbox" not in reply.content.decode()
    sent = httpx.put(told["upload_url"], content=b"bytes", headers={"Content-Type": "text/plain"})
    assert sent.status_code == 200
    assert httpx.get(told["file_url"]).content == b"bytes"


def test_a_viewer_may_not(teammate: Caller, at_sandbox: Any) -> None:
    assert call(teammate, FILE).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"size": 0}, 422), ({"size": "5"}, 422), ({"size": 2**41}, 413), ({"name": ""}, 422),
     ({"more": 1}, 422), ({"name": "a\0b"}, 422)],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_fal_is_asked(
    owner: Caller, settings: Any, wrong: dict[str, Any], status: int
) -> None:
    settings.FAL_REST_URL = "http://127.0.0.1:9"
    assert call(owner, FILE | wrong).status_code == status


def test_a_fal_that_is_away_is_a_503_and_too_many_starts_a_429(
    owner: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FAL_REST_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(starting, "rate", Rate(most=1))
    assert call(owner, FILE).status_code == 503
    again = call(owner, FILE)
    assert (again.status_code, int(again["Retry-After"]) > 0) == (429, True)
