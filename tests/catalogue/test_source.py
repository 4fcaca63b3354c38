"""Fetching a document: bounded, without a redirect, and every failure in words."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.local_apps import LocalApp
from requests_app.catalogue import source
from requests_app.catalogue.source import SourceError, fetch
from requests_app.fal.endpoints import EndpointId
from tests.catalogue.conftest import DocumentServer

ENDPOINT = EndpointId.parse("acme/thing/fast")


def test_a_document_comes_as_it_was_sent_and_no_key_goes_out(
    server: DocumentServer, settings: Any
) -> None:
    settings.FAL_KEY = "id:secret"
    server.body = b'{"paths": {}, "odd": 1.50}'
    assert fetch(ENDPOINT) == server.body
    [(path, headers)] = server.asked
    assert path == "/openapi.json?endpoint_id=acme%2Fthing%2Ffast"
    assert "authorization" not in headers
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "fal has no schema"),
        (500, "HTTP 500"),
        (302, "HTTP 302"),
        (401, "HTTP 401"),
        (204, "HTTP 204"),
    ],
)
def test_what_is_no_answer_is_told(server: DocumentServer, status: int, sentence: str) -> None:
    server.status, server.headers = status, {"Location": f"{server.url}/elsewhere"}
    with pytest.raises(SourceError, match=sentence):
        fetch(ENDPOINT)
    assert len(server.asked) == 1


def test_an_address_that_does_not_answer_is_told(settings: Any) -> None:
    settings.FAL_OPENAPI_URL = "http://127.0.0.1:1/{endpoint_id}"
    with pytest.raises(SourceError, match="ConnectError"):
        fetch(ENDPOINT)


def test_a_document_over_the_limit_is_not_read_to_its_end(
    server: DocumentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    server.body = b" " * 1001
    with pytest.raises(SourceError, match="larger than 1,000 bytes"):
        fetch(ENDPOINT)


def test_a_document_that_comes_too_late_is_given_up(
    server: DocumentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for the head of the reply counts too."""
    monkeypatch.setattr(source, "DEADLINE_S", 0.1)
    server.wait_s = 0.2
    with pytest.raises(SourceError, match=r"did not arrive within 0\.1 s"):
        fetch(ENDPOINT)


def test_the_document_of_an_own_app_is_its_own(server: DocumentServer, settings: Any) -> None:
    settings.FAL_OPENAPI_URL = "http://127.0.0.1:1/{endpoint_id}"
    settings.LOCAL_APPS = {"acme/thing": LocalApp("acme/thing", f"{server.url}/mounted")}
    server.body = b'{"paths": {}}'
    assert fetch(ENDPOINT) == server.body
    assert [path for path, _ in server.asked] == ["/mounted/openapi.json"]
    server.status = 404
    with pytest.raises(SourceError, match=r"The app serves no openapi\.json"):
        fetch(ENDPOINT)
