"""Without Redis one can still log in, and attempts are still counted."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client

from dashboard.caches import RedisOrMemory


def nobodys_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


@pytest.fixture
def cache() -> Iterator[RedisOrMemory]:
    one = RedisOrMemory(nobodys_url(), {})
    yield one
    one._own.clear()


@pytest.fixture
def without_redis(cache: RedisOrMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches._connections, "default", cache, raising=False)


def log_in(password: str) -> int:
    form = {"login": "olga", "password": password}
    return Client(raise_request_exception=False).post("/accounts/login/", form).status_code


def test_what_is_set_while_redis_is_away_is_kept_in_this_process(cache: RedisOrMemory) -> None:
    cache.set("count", 1, 60)
    assert cache.incr("count") == 2
    assert cache.get("count") == 2
    assert cache.add("count", 9) is False
    assert cache.delete("count") is True
    assert cache.get("count", "nothing") == "nothing"


def test_one_can_log_in_without_redis(without_redis: None, owner: User) -> None:
    assert log_in("a long pass phrase") == 302


def test_attempts_are_limited_without_redis(without_redis: None, owner: User) -> None:
    answers = [log_in("a wrong guess") for _ in range(12)]
    assert answers[0] == 200
    assert 500 not in answers
    assert "too many" in _last_words().lower()


def _last_words() -> str:
    form = {"login": "olga", "password": "a long pass phrase"}
    return Client(raise_request_exception=False).post("/accounts/login/", form).content.decode()
