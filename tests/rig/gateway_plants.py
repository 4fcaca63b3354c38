"""Bugs of the gateway, to prove that its checkers find them. Each changes one thing at run time, as `plants`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.rig.plants import Plant

PLANTS: dict[str, Plant] = {}
EVERY = 10  # of so many calls one goes wrong


def plant(*found_by: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Name the function below as a bug."""

    def keep(apply: Callable[[], None]) -> Callable[[], None]:
        PLANTS[apply.__name__] = Plant(apply, frozenset(found_by))
        return apply

    return keep


@plant("recorded", "ends")
def nothing_is_written_down() -> None:
    """What a killed process had under way is gone; and the database is slow, so that a kill meets some."""
    from requests_app.gateway import recording
    from requests_app.gateway.journal import Journal

    store = recording.store

    def slow(entry: Any) -> None:
        time.sleep(1)
        store(entry)

    Journal.note = lambda self, entry: None  # type: ignore[method-assign]
    recording.store = slow


@plant("recorded")
def some_are_not_offered() -> None:
    """Now and then a call passes and is not told of."""
    from requests_app.gateway.recording import Recording

    offer, seen = Recording.offer, [0]

    def careless(self: Recording, entry: Any) -> None:
        seen[0] += 1
        if seen[0] % EVERY:
            offer(self, entry)
        else:
            self.give_up(entry)

    Recording.offer = careless  # type: ignore[method-assign]


@plant("recorded-once")
def some_are_stored_twice() -> None:
    """A direct call is stored as if it had been made twice."""
    from uuid import uuid4

    from msgspec.structs import replace

    from requests_app.gateway import live, recording

    store = recording.store

    def twice(entry: Any) -> None:
        store(entry)
        if entry.kind == "direct":
            store(replace(entry, public_id=str(uuid4())))

    recording.store = live.store = twice


@plant("sent-once")
def some_are_sent_twice() -> None:
    """A call is made again though it was answered."""
    from requests_app.gateway.exchange import Exchange

    passed, seen = Exchange._passed, [0]

    async def again(self: Exchange, body: Any, send: Any) -> None:
        seen[0] += 1
        if self._method == "POST" and isinstance(body, bytes) and seen[0] % EVERY == 0:
            upstream, url = self._upstream, self._address.url
            async with upstream.opened(self._method, url, self._headers, body):
                pass
        await passed(self, body, send)

    Exchange._passed = again  # type: ignore[method-assign]


@plant("retrievable")
def results_lose_their_ids() -> None:
    """A key does not reach what another process has passed on."""
    from requests_app.gateway.owners import Owners

    async def own_alone(self: Owners, request_id: str, *_: Any, **__: Any) -> bool:
        return self.known(request_id) is not None

    Owners.may_reach = own_alone  # type: ignore[method-assign]


@plant("ends")
def runs_count_as_failed() -> None:
    """A whole answer is taken for one that broke off."""
    from requests_app.gateway import recording
    from requests_app.gateway.entries import ended_by

    outcome_of = recording.outcome_of

    def broken(entry: Any, hosts: Any) -> Any:
        is_run = entry.kind == "direct"
        return ended_by("broken", "It broke off.") if is_run else outcome_of(entry, hosts)

    recording.outcome_of = broken
