"""How many pages one person, or one address, may ask for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def _few(settings: Any) -> None:
    settings.PAGES_PER_MINUTE = 3


def test_a_page_too_many_is_answered_429_and_says_when(as_owner: Client, as_viewer: Client) -> None:
    assert [as_owner.get("/requests/").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = as_owner.post("/requests/new/", {"endpoint_id": "acme/img"})
    assert refused.status_code == 429 and 1 <= int(refused["Retry-After"]) <= 20
    assert "3 calls in a minute" in refused.text and "Nothing was done" in refused.text
    part = as_owner.get("/requests/rows/", headers={"HX-Request": "true"})
    assert part.status_code == 429 and "3 calls" in part.json()["detail"]
    assert as_viewer.get("/requests/").status_code == 200  # each person has a bucket


def test_without_a_log_in_the_address_counts_and_docs_are_pages(client: Client, db: None) -> None:
    for path in ("/accounts/login/", "/api/v1/openapi.json", "/nowhere/"):
        assert client.get(path).status_code in (200, 404)
    assert client.get("/api/v1/docs").status_code == 429
    assert client.get("/accounts/login/", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_supervisors_and_deliveries_are_not_counted(client: Client, db: None) -> None:
    for path in ("/healthz", "/hooks/fal/none", "/healthz", "/healthz", "/healthz"):
        assert client.get(path).status_code in (200, 404)
