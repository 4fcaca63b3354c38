"""fal's models: searched without a key, cached, kept; a failure is a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from requests_app.catalogue import fal_models
from requests_app.models import Endpoint, ModelCard
from tests.catalogue.conftest import DocumentServer

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def fal(server: DocumentServer, settings: Any, db: None) -> DocumentServer:
    settings.FAL_API_URL = server.url
    server.body = listed("acme/one")
    return server


def listed(*names: str, **more: Any) -> bytes:
    models = [
        {"endpoint_id": name, "metadata": {"display_name": name.title(), "category": "vision"}}
        for name in names
    ]
    return json.dumps({"models": models, **more}).encode()


def test_a_search_sends_no_key_and_keeps_what_it_learns(fal: DocumentServer, settings: Any) -> None:
    settings.FAL_KEY = "id:secret"
    found = fal_models.search(q="one two", category="vision")
    [(path, headers)] = fal.asked
    assert path == "/v1/models?limit=24&q=one+two&category=vision"
    assert "authorization" not in headers
    assert [model.endpoint_id for model in found.page.models] == ["acme/one"]
    card = ModelCard.objects.get()
    assert (card.title, card.category, card.is_listed) == ("Acme/One", "vision", True)


def test_the_same_search_is_not_sent_twice(fal: DocumentServer) -> None:
    assert fal_models.cached(q="x") is None
    first = fal_models.search(q="x")
    assert fal_models.search(q="x") == fal_models.cached(q="x") == first
    assert len(fal.asked) == 1
    fal_models.search(q="x", cursor="next")
    assert len(fal.asked) == 2


def test_a_model_that_is_told_anew_replaces_what_was_known(fal: DocumentServer) -> None:
    fal_models.search(q="a")
    fal.body = fal.body.replace(b"vision", b"llm")
    fal_models.search(q="b")
    assert ModelCard.objects.get().category == "llm"


def test_texts_that_a_database_refuses_are_cut(fal: DocumentServer) -> None:
    fal.body = json.dumps(
        {"models": [{"endpoint_id": "acme/one", "metadata": {"display_name": "a\0" + "b" * 999}}]}
    ).encode()
    fal_models.search()
    assert len(ModelCard.objects.get().title) == 200


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, b"", "HTTP 500"),
        (429, b"{}", "HTTP 429"),
        (302, b"", "HTTP 302"),
        (200, b"<html>", "could not be read"),
        (200, b"[]", "could not be read"),
    ],
)
def test_a_failure_is_a_sentence_and_kept_for_a_moment(
    fal: DocumentServer, status: int, body: bytes, sentence: str
) -> None:
    fal.status, fal.body = status, body
    found = fal_models.search(q="x")
    assert sentence in found.problem
    assert found.page.models == ()
    assert fal_models.search(q="x") == found
    assert len(fal.asked) == 1


def test_an_address_that_does_not_answer_is_told(settings: Any, db: None) -> None:
    settings.FAL_API_URL = "http://127.0.0.1:1"
    assert "ConnectError" in fal_models.search().problem


# --- by the clock -------------------------------------------------------------------------------


def test_the_clock_asks_for_endpoints_without_a_card_one_by_one(fal: DocumentServer) -> None:
    for name in ("acme/one", "acme/two"):
        Endpoint.objects.create(endpoint_id=name, checked_at=NOW)
    assert fal_models.refresh_cards(now=NOW) == 2
    assert sorted(path for path, _ in fal.asked) == [
        "/v1/models?endpoint_id=acme%2Fone", "/v1/models?endpoint_id=acme%2Ftwo"
    ]  # fmt: skip
    kept = ModelCard.objects.order_by("endpoint_id").values_list("endpoint_id", "is_listed")
    assert list(kept) == [("acme/one", True), ("acme/two", False)]
    assert fal_models.refresh_cards(now=NOW) == 0
    assert fal_models.refresh_cards(now=NOW + fal_models.FRESH + timedelta(seconds=1)) == 2


@pytest.mark.parametrize(
    ("status", "is_listed"), [(404, False), (400, False), (500, True), (429, True)]
)
def test_what_is_known_outlives_a_failure_but_not_a_no(
    fal: DocumentServer, status: int, is_listed: bool
) -> None:
    Endpoint.objects.create(endpoint_id="acme/one", checked_at=NOW)
    ModelCard.objects.create(
        endpoint_id="acme/one", title="One", checked_at=NOW - timedelta(days=2)
    )
    fal.status = status
    fal_models.refresh_cards(now=NOW)
    card = ModelCard.objects.get()
    assert (card.is_listed, card.title, card.checked_at) == (is_listed, "One", NOW)
