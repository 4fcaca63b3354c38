from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from requests_app.fal.errors import KeysUnavailable
from requests_app.fal.jsontext import NotJson
from requests_app.fal.jwks import KeyCache, is_small_order, parse_jwks

from .conftest import hosts_at
from .peer import Peer, html, reply, reset

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
P = 2**255 - 19


def public(seed: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32)).public_key().public_bytes_raw()


def jwk(key: bytes, **members: Any) -> dict[str, Any]:
    x = base64.urlsafe_b64encode(key).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": x, **members}


def key_set(*keys: bytes) -> bytes:
    return json.dumps({"keys": [jwk(key) for key in keys]}).encode()


def test_keys_are_read_with_and_without_padding() -> None:
    padded = jwk(public(1), x=base64.urlsafe_b64encode(public(1)).decode())
    assert padded["x"].endswith("=")
    body = json.dumps({"keys": [padded, jwk(public(2), kid="k", use="sig")]}).encode()
    assert parse_jwks(body) == (public(1), public(2))


@pytest.mark.parametrize(
    "entry",
    [
        jwk(public(1), kty="EC"),
        jwk(public(1), crv="X25519"),
        jwk(public(1)[:31]),
        jwk(public(1) + b"\0"),
        jwk(public(1), x=7),
        jwk(public(1), x="not base64!"),
        jwk(public(1), x="é" * 43),
        jwk(bytes([1]) + bytes(31)),
        {},
        "key",
        None,
    ],
)
def test_a_key_that_cannot_be_used_is_passed_over(entry: Any) -> None:
    assert parse_jwks(json.dumps({"keys": [entry, jwk(public(3))]}).encode()) == (public(3),)


def test_at_most_sixteen_keys_are_taken_and_none_twice() -> None:
    keys = [public(n) for n in range(1, 40)]
    assert parse_jwks(key_set(keys[0], *keys)) == tuple(keys[:16])


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys":{}}', b"<html>"])
def test_a_document_without_a_key_list_is_no_key_set(body: bytes) -> None:
    with pytest.raises(NotJson):
        parse_jwks(body)


def _order_8_y() -> list[int]:
    """From the curve: a point of order 8 doubled has order 4, so y = 0, so x^2 = -y^2."""
    d = -121665 * pow(121666, -1, P) % P
    # -x^2 + y^2 = 1 + d x^2 y^2 with x^2 = -y^2:  d y^4 + 2 y^2 - 1 = 0
    root = _sqrt((1 + d) % P)
    squares = [(-1 + sign * root) * pow(d, -1, P) % P for sign in (1, -1)]
    return [y for square in squares if (y := _sqrt(square, strict=False)) is not None]


def _sqrt(value: int, *, strict: bool = True) -> Any:
    root = pow(value, (P + 3) // 8, P)
    if root * root % P != value:
        root = root * pow(2, (P - 1) // 4, P) % P
    if root * root % P != value:
        assert not strict
        return None
    return root


def test_all_fourteen_encodings_of_small_order_points_are_known() -> None:
    ys = {0, 1, P - 1}
    for y in _order_8_y():
        ys |= {y, P - y}
    assert len(ys) == 5
    encodings = {
        (number | sign << 255).to_bytes(32, "little")
        for y in ys
        for number in (y, y + P)
        if number < 2**255
        for sign in (0, 1)
    }
    assert len(encodings) == 14
    assert all(is_small_order(key) for key in encodings)
    assert not any(is_small_order(public(n)) for n in range(50))


def test_the_danger_is_real_for_the_library_we_use() -> None:
    identity = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"any message at all")


@pytest.fixture
def cache(peer: Peer) -> KeyCache:
    return KeyCache(hosts_at(peer.url))


async def test_keys_are_fetched_once_and_remembered(peer: Peer, cache: KeyCache) -> None:
    peer.will(reply(200, key_set(public(1))))
    for minutes in (0, 1, 59):
        assert await cache.keys(NOW + timedelta(minutes=minutes)) == (public(1),)
    [request] = peer.requests
    assert request.target == "/rest/.well-known/jwks.json"
    assert request.header("authorization") is None


async def test_many_callers_at_once_fetch_once(peer: Peer, cache: KeyCache) -> None:
    peer.will(reply(200, key_set(public(1))))
    assert set(await asyncio.gather(*(cache.keys(NOW) for _ in range(50)))) == {(public(1),)}
    assert len(peer.requests) == 1


async def test_a_rotation_is_picked_up_but_a_flood_fetches_once_a_minute(
    peer: Peer, cache: KeyCache
) -> None:
    peer.will(reply(200, key_set(public(1))), reply(200, key_set(public(1), public(2))))
    await cache.keys(NOW)
    for second in range(60):
        assert await cache.keys(NOW + timedelta(seconds=second), fresh=True) == (public(1),)
    assert len(peer.requests) == 1
    assert await cache.keys(NOW + timedelta(seconds=60), fresh=True) == (public(1), public(2))
    assert await cache.keys(NOW + timedelta(seconds=90), fresh=True) == (public(1), public(2))
    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    "step",
    [
        reset,
        html(502),
        reply(200, b"{}"),
        reply(200, b'{"keys":[]}'),
        reply(302, b"", location="/x"),
        reply(200, b'{"keys":[' + b" " * 300_000 + b"]}"),
    ],
    ids=["reset", "page", "no set", "no keys", "redirect", "too large"],
)
async def test_old_keys_serve_while_the_host_is_down_but_not_longer_than_a_day(
    peer: Peer, cache: KeyCache, step: Any
) -> None:
    peer.will(reply(200, key_set(public(1))), *[step] * 6)
    await cache.keys(NOW)
    assert await cache.keys(NOW + timedelta(hours=2)) == (public(1),)
    assert len(peer.requests) >= 2
    assert await cache.keys(NOW + timedelta(hours=24)) == (public(1),)
    with pytest.raises(KeysUnavailable):
        await cache.keys(NOW + timedelta(hours=24, minutes=2))


async def test_a_cold_cache_says_so_and_asks_again_after_a_minute(
    peer: Peer, cache: KeyCache
) -> None:
    peer.will(html(503), reply(200, key_set(public(1))))
    for second in (0, 1, 59):
        with pytest.raises(KeysUnavailable):
            await cache.keys(NOW + timedelta(seconds=second))
    assert len(peer.requests) == 1
    assert await cache.keys(NOW + timedelta(seconds=60)) == (public(1),)


def test_the_cache_may_be_used_from_several_event_loops() -> None:
    async def two_at_once(now: datetime) -> None:
        answers = await asyncio.gather(cache.keys(now), cache.keys(now), return_exceptions=True)
        assert [type(answer) for answer in answers] == [KeysUnavailable] * 2

    cache = KeyCache(hosts_at("http://127.0.0.1:9"))
    asyncio.run(two_at_once(NOW))
    asyncio.run(two_at_once(NOW + timedelta(minutes=2)))
