"""The last change: against the newest kept version that has other fields."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from requests_app.catalogue import store
from requests_app.catalogue.versions import last_change
from requests_app.fal.endpoints import EndpointId
from tests.catalogue.conftest import DocumentServer
from tests.catalogue.documents import whole

ENDPOINT = EndpointId.parse("acme/thing")
START = timezone.now() - timedelta(days=9)


def see(server: DocumentServer, day: int, *names: str, about: str = "") -> datetime:
    properties = {name: {"type": "string"} for name in names}
    document: dict[str, Any] = whole({"In": {"type": "object", "properties": properties}})
    document["info"]["description"] = about
    server.body = json.dumps(document).encode()
    at = START + timedelta(days=day)
    store.refresh(ENDPOINT, now=at)
    return at


def told() -> tuple[list[str], datetime] | None:
    found = last_change("acme/thing")
    return found and ([f"{one.what} {one.path}" for one in found.changes], found.at)


def test_an_endpoint_that_was_never_asked_for_or_seen_once_has_no_change(
    server: Any, db: None
) -> None:
    assert told() is None
    see(server, 0, "a")
    assert told() is None


def test_the_change_and_its_day_are_told(server: DocumentServer, db: None) -> None:
    see(server, 0, "a", "b")
    at = see(server, 1, "a", "c")
    assert told() == (["gone /b", "added /c"], at)


def test_a_version_with_the_same_fields_hides_no_change(server: DocumentServer, db: None) -> None:
    see(server, 0, "a", "b")
    at = see(server, 1, "a")
    see(server, 2, "a", about="another sample picture")
    assert told() == (["gone /b"], at)


def test_a_document_without_other_fields_is_no_change(server: DocumentServer, db: None) -> None:
    see(server, 0, "a")
    see(server, 1, "a", about="other words")
    assert told() is None


def test_a_document_that_returns_is_compared_with_the_one_it_replaced(
    server: DocumentServer, db: None
) -> None:
    see(server, 0, "a")
    see(server, 1, "a", "b")
    see(server, 2, "a")
    assert told() is not None
    assert told()[0] == ["gone /b"]  # type: ignore[index]
