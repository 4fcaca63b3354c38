"""The calls a token may make, and what each reply says of them."""

from __future__ import annotations

import pytest
from django.test import Client

from requests_app.accounts.rates import Buckets
from requests_app.api import rate
from requests_app.models import FalRequest
from tests.api.conftest import BASE, Caller


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch, settings) -> None:
    monkeypatch.setattr(rate, "buckets", Buckets())
    settings.API_CALLS_PER_MINUTE = 2


def test_a_call_too_many_is_answered_429_and_says_when(owner: Caller, stranger: Caller) -> None:
    replies = [owner.get() for _ in range(2)]
    assert [one["RateLimit-Remaining"] for one in replies] == ["1", "0"]
    assert {one["RateLimit-Limit"] for one in replies} == {"2"}
    refused = owner.post(body={"endpoint_id": "acme/one", "input": {}})
    assert refused.status_code == 429
    assert "2 calls in a minute" in refused.json()["detail"]
    assert 1 <= int(refused["Retry-After"]) <= 30 and refused["RateLimit-Remaining"] == "0"
    assert not FalRequest.objects.exists()
    assert stranger.get().status_code == 200  # each token has a bucket of its own


def test_an_address_without_a_valid_token_is_bounded_too(owner: Caller, settings) -> None:
    settings.PAGES_PER_MINUTE = 2
    made_up = Client(headers={"Authorization": "Bearer fdk_made-up"})
    assert [made_up.get(BASE).status_code for _ in range(3)] == [401, 401, 429]
    assert int(Client().get(BASE)["Retry-After"]) >= 1
    assert owner.get().status_code == 200


def test_a_caller_without_a_token_is_told_nothing(db: None) -> None:
    refused = Client().get(BASE)
    assert refused.status_code == 401 and "RateLimit-Limit" not in refused
