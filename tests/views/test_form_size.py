"""Forms in the URL encoding have a bound before they are decoded; those that hold megabytes have none of it."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse, QueryDict
from django.test import Client

from requests_app.forms.submit import new_token
from requests_app.models import FalRequest, Team
from requests_app.views.form_size import ENCODED, MOST_ENCODED, form_size

pytestmark = pytest.mark.django_db

LARGE = urlencode({"input": '"' * (MOST_ENCODED // 3)})
PATHS = [
    "/accounts/login/", "/requests/new/", "/realtime/messages/", "/team/", "/settings/times/",
    "/presets/", "/nowhere/", "/requests/00000000-0000-4000-8000-000000000000/cancel/",
]  # fmt: skip


@pytest.fixture
def never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    init = QueryDict.__init__

    def judged(self: Any, query: Any = None, **how: Any) -> None:
        assert len(query or "") <= MOST_ENCODED
        init(self, query, **how)

    monkeypatch.setattr(QueryDict, "__init__", judged)


@pytest.mark.usefixtures("never_decoded")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_member", [True, False])
def test_a_large_form_in_the_url_encoding_is_refused_before_it_is_decoded(
    path: str, is_member: bool, as_owner: Client
) -> None:
    client = as_owner if is_member else Client(enforce_csrf_checks=True)
    reply = client.generic("POST", path, LARGE, content_type=f"{ENCODED}; charset=utf-8")
    assert reply.status_code == 413
    assert f"takes {MOST_ENCODED:,} bytes" in reply.content.decode()


@pytest.mark.usefixtures("never_decoded")
def test_a_form_that_declares_no_length_is_measured() -> None:
    head = {"type": "http", "method": "POST", "path": "/", "query_string": b""}
    head["headers"] = [(b"content-type", ENCODED.encode())]
    request = ASGIRequest(head, BytesIO(LARGE.encode()))
    assert form_size(lambda _: HttpResponse())(request).status_code == 413


def test_a_form_of_megabytes_is_taken_as_multipart(
    team: Team, owner: User, as_owner: Client
) -> None:
    text = json.dumps({"a": '"' * MOST_ENCODED})
    wish = {"token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": text}
    assert as_owner.post("/requests/new/", wish).status_code == 302
    assert FalRequest.objects.get().input_text == text


def test_a_small_form_in_the_url_encoding_is_taken(as_owner: Client) -> None:
    wish = {"token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": "{}"}
    reply = as_owner.post("/requests/new/", urlencode(wish), content_type=ENCODED)
    assert reply.status_code == 302


def test_a_body_for_a_program_is_none_of_its_business(client: Client) -> None:
    reply = client.generic("POST", "/api/v1/requests/", LARGE, content_type=ENCODED)
    assert reply.status_code == 401
