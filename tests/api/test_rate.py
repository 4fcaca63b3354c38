"""The calls a token may make, and what each reply says of them."""

from __future__ import annotations

import threading

import pytest
from django.test import Client

from requests_app.api import rate
from requests_app.api.rate import Buckets, TooManyCalls
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


def test_a_caller_without_a_token_is_told_nothing(db: None) -> None:
    refused = Client().get(BASE)
    assert refused.status_code == 401 and "RateLimit-Limit" not in refused


def test_a_bucket_fills_evenly_and_never_over_its_brim() -> None:
    buckets = Buckets()
    for _ in range(60):
        buckets.take("a", 60, now=0)
    with pytest.raises(TooManyCalls) as refused:
        buckets.take("a", 60, now=0.25)
    assert refused.value.retry_after_s == pytest.approx(0.75)
    assert buckets.take("a", 60, now=1).calls == pytest.approx(0)
    full = buckets.take("a", 60, now=10_000)
    assert full.calls == 59 and full.headers["RateLimit-Reset"] == "1"


def test_threads_take_no_call_twice_and_buckets_are_bounded(monkeypatch) -> None:
    buckets, taken = Buckets(), []

    def take() -> None:
        for _ in range(50):
            taken.append(buckets.take("a", 400, now=0).calls)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(taken) == list(range(400))
    monkeypatch.setattr(rate, "MOST_BUCKETS", 3)
    for key in range(9):
        buckets.take(key, 400, now=0)
    assert len(buckets._left) == 3
