"""With which fal key a call is passed on: the team's for its endpoint, or the one its request was sent with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from requests_app.gateway.addresses import Address
from requests_app.gateway.owners import Owners
from requests_app.keys import Key, key_for, key_of, ring

DatabaseCall = Callable[..., Awaitable[Any]]


async def fal_key(address: Address, team_id: int, owners: Owners, database: DatabaseCall) -> Key:
    """Return the key; without a query while all keys in memory are fresh. `may_reach` was asked before.

    Raises DatabaseError while the database is away and the keys were never read.
    """
    owner = owners.known(address.request_id) if address.request_id else None
    endpoint = str(address.endpoint or "")
    if owner is not None and owner.team_id is not None:
        look_up: tuple[Any, ...] = (key_of, owner.fal_key_id)
    else:
        look_up = (key_for, team_id, endpoint)
    if ring.is_fresh():
        call, *given = look_up
        return cast(Key, call(*given))
    return cast(Key, await database(*look_up))
