"""Where a session is held: by an own app, or by fal, with a key of this server's or the program's own credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from requests_app.fal import (
    EndpointId,
    FalClient,
    FalError,
    RealtimeConnection,
    build_headers,
    platform_options,
)
from requests_app.fal.realtime import connect, connect_to
from requests_app.fal.realtime_url import realtime_url
from requests_app.keys import Key
from requests_app.lifecycle import Attempt
from requests_app.localqueue.places import session_url
from requests_app.worker import row_keys
from requests_app.worker.fal_connections import hosts_from_settings

THE_APP = "The app"  # in sentences


@dataclass(frozen=True)
class OwnCredential:
    """What a program shows fal itself: a header, or a token in the query. It is passed on and never stored."""

    header: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@asynccontextmanager
async def opened(
    attempt: Attempt, own: OwnCredential | None = None
) -> AsyncIterator[RealtimeConnection]:
    """Open the session, once; leaving the context closes it. Raises FalError.

    An own app gets neither a key nor a token: its address is from the settings, and it asks for none.
    """
    endpoint, options = EndpointId.parse(attempt.endpoint_id), attempt.options
    path, buffering = options["path"], options["max_buffering"]
    headers = build_headers(platform_options(options))
    if url := session_url(endpoint, path, buffering):
        async with connect_to(url, headers, peer=THE_APP) as connection:
            yield connection
    elif own:
        shown = {"Authorization": own.header} if own.header else {}
        url = realtime_url(
            hosts_from_settings(),
            endpoint,
            path=path,
            token=own.token or None,
            max_buffering=buffering,
        )
        async with connect_to(url, {**headers, **shown}) as connection:
            yield connection
    else:
        how = {"path": path, "auth": options["auth"], "max_buffering": buffering}
        async with _with_our_key(attempt.key, endpoint, headers=headers, **how) as connection:
            yield connection


@asynccontextmanager
async def _with_our_key(
    key: Key, endpoint: EndpointId, **how: Any
) -> AsyncIterator[RealtimeConnection]:
    # Off the loop: building the TLS settings takes tens of milliseconds.
    client = await asyncio.to_thread(FalClient, hosts_from_settings(), key.secret)
    try:
        key.ensure_usable()
        await row_keys.note(key)
        async with client, connect(client, endpoint, **how) as connection:
            yield connection
    except FalError as error:
        await row_keys.note(key, error)
        raise
