"""fal's webhook keys: parse and cache the published set.

All of fal's customers share the keys. A poisoned set must not help: a small-order key would accept
a forged signature for any message, so only full-order keys are accepted.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import httpx

from .call import Call
from .endpoints import Hosts
from .errors import FalError, KeysUnavailable
from .jsontext import NotJson, parse_object
from .transport import ReplyLimits, Timeouts, Wire

MAX_KEYS = 16
MAX_BYTES = 256 * 1024
FETCH_TIMEOUT_S = 10.0

# A point of small order on edwards25519 has one of five y coordinates; the sign bit and
# non-canonical encodings (y + p) make 14 byte strings of them.
_P = 2**255 - 19
_Y_OF_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8})


def parse_jwks(body: bytes) -> tuple[bytes, ...]:
    """Return the usable Ed25519 public keys (32 bytes each) of a JWK set, at most 16; others are
    skipped.

    Raises NotJson when the body is not a key set.
    """
    entries = parse_object(body).get("keys")
    if not isinstance(entries, list):
        raise NotJson("The document holds no list of keys.")
    keys = (_public_key(entry) for entry in entries)
    return tuple(dict.fromkeys(key for key in keys if key is not None))[:MAX_KEYS]


def _public_key(entry: Any) -> bytes | None:
    if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        return None
    text = entry.get("x")
    if not isinstance(text, str):
        return None
    try:
        # A JWK's base64url carries no padding; whether fal's does is UNCONFIRMED, so both are
        # accepted.
        unpadded = text.rstrip("=")
        key = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return key if len(key) == 32 and not is_small_order(key) else None


def is_small_order(key: bytes) -> bool:
    """Whether the 32-byte public key is one of the 14 encodings of a small-order point."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return y % _P in _SMALL_ORDER_Y


class KeyCache:
    """The keys at ``hosts.jwks``: refreshed hourly, kept 24 hours while the host is down.

    Each fetch opens its own connection unless a ``client`` is given, so the cache may be used from
    any event loop.
    """

    REFRESH_AFTER = timedelta(hours=1)
    KEEP_FOR = timedelta(hours=24)
    FETCH_EVERY = timedelta(minutes=1)

    def __init__(self, hosts: Hosts, client: httpx.AsyncClient | None = None) -> None:
        self._url = hosts.jwks
        self._client = client
        self._keys: tuple[bytes, ...] = ()
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )

    async def keys(self, now: datetime, *, fresh: bool = False) -> tuple[bytes, ...]:
        """Return the keys to try. ``fresh``: no known key matched a signature, so fetch again (at
        most once a minute).

        Raises KeysUnavailable when none are known, or only ones older than 24 hours.
        """
        if self._is_due(now, fresh=fresh):
            async with self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                # Another caller may have fetched while we waited.
                if self._is_due(now, fresh=fresh):
                    await self._refresh(now)
        if self._fetched_at is None or now - self._fetched_at > self.KEEP_FOR:
            raise KeysUnavailable(
                "fal's webhook keys cannot be fetched, so no webhook can be checked now."
            )
        return self._keys

    def _is_due(self, now: datetime, *, fresh: bool) -> bool:
        # A flood of forged webhooks, or a host that is down, must not cause a flood of fetches.
        if self._tried_at is not None and now - self._tried_at < self.FETCH_EVERY:
            return False
        return fresh or self._fetched_at is None or now - self._fetched_at > self.REFRESH_AFTER

    async def _refresh(self, now: datetime) -> None:
        try:
            keys = await self._fetch()
        except (FalError, NotJson):
            keys = ()
        finally:
            self._tried_at = now
        if keys:
            self._keys, self._fetched_at = keys, now

    async def _fetch(self) -> tuple[bytes, ...]:
        wire = Wire("", client=self._client, timeouts=Timeouts(), limits=ReplyLimits())
        try:
            reply = await wire.exchange(
                Call("GET", self._url, {}), deadline_s=FETCH_TIMEOUT_S, limit=MAX_BYTES
            )
        finally:
            await wire.aclose()
        return parse_jwks(reply.body) if reply.is_success else ()
