"""Buckets of calls."""

from __future__ import annotations

import threading

import pytest

from requests_app.accounts import rates
from requests_app.accounts.rates import Buckets, TooManyCalls


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
    monkeypatch.setattr(rates, "MOST_BUCKETS", 3)
    for key in range(9):
        buckets.take(key, 400, now=0)
    assert len(buckets._left) == 3
