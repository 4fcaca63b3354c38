"""Virtual keys: an API token of ours in the shape of a key of fal's, `Key NAME:fdk_…`.

The real key stays on this server. A busy key is looked up beside its calls, every few seconds, so that
none of them waits; a revoked one works for `FRESH_S` at most. While the database is away, keys that were
valid go on working for `STALE_S`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.db import Error
from django.utils import timezone

from requests_app.gateway.faulty import Lab, lab_of
from requests_app.models import ApiToken, TokenScope, digest

FRESH_S = 4.0
AGEING_S = 2.0  # from this age on a look-up is made beside the call
STALE_S = 600.0
MOST_KEPT = 1000

DatabaseCall = Callable[..., Awaitable[Any]]


class KeysUnknown(Exception):
    """The database is away, and this key was not seen before."""


@dataclass(frozen=True)
class Caller:
    """Who a call is made for."""

    team_id: int
    user_id: int
    name: str
    refusal: str  # of what starts or ends work; "" when it may
    sees: bool = True  # what others' requests hold
    lab: Lab | None = None  # what goes wrong on purpose


class Callers:
    """The keys seen by one event loop. `database` runs a blocking function off the loop."""

    def __init__(self, database: DatabaseCall, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._seen: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[Caller | None]] = {}

    async def find(self, authorization: str, *, used_from: str = "") -> Caller | None:
        """Return the caller of a key, None for an invalid one. Raises KeysUnknown."""
        text = _token_in(authorization)
        if text is None:
            return None
        name = digest(text)
        caller, at = self._seen.get(name, (None, 0.0))
        age_s = self._clock() - at if caller else FRESH_S
        if age_s < FRESH_S:
            if age_s >= AGEING_S:
                self._look_up(name, text, used_from)
            return caller
        try:
            return await asyncio.shield(self._look_up(name, text, used_from))
        except Error:
            if caller is None or age_s >= STALE_S:
                raise KeysUnknown from None
            return caller

    def _look_up(self, name: str, text: str, used_from: str) -> asyncio.Task[Caller | None]:
        """Ask the database, once for all calls that wait."""
        task = self._looking.get(name)
        if task is None:
            task = self._looking[name] = asyncio.create_task(self._asked(name, text, used_from))
            task.add_done_callback(lambda done: self._looked_up(name, done))
        return task

    async def _asked(self, name: str, text: str, used_from: str) -> Caller | None:
        caller: Caller | None = await self._database(_find, text, used_from)
        if caller is None:
            self._seen.pop(name, None)
            return None
        self._seen[name] = caller, self._clock()
        self._seen.move_to_end(name)
        if len(self._seen) > MOST_KEPT:
            self._seen.popitem(last=False)
        return caller

    def _looked_up(self, name: str, task: asyncio.Task[Caller | None]) -> None:
        self._looking.pop(name, None)
        if not task.cancelled():
            task.exception()  # retrieved: perhaps no call waits for it


def _token_in(authorization: str) -> str | None:
    """Return the token of `Key NAME:fdk_…`; None for any other value."""
    scheme, _, rest = authorization.partition(" ")
    text = rest.strip().rpartition(":")[2]
    is_ours = scheme.lower() == "key" and text.startswith(ApiToken.PREFIX) and len(text) < 200
    return text if is_ours else None


def _find(text: str, used_from: str) -> Caller | None:
    token = ApiToken.find(text, now=timezone.now(), used_from=used_from)
    if token is None:
        return None
    refusal = token.refusal(TokenScope.SUBMIT)
    name = token.user.get_username()
    return Caller(token.team_id, token.user_id, name, refusal, token.sees, lab_of(token))
