"""The same call by the client for functions and by that for coroutines."""

from __future__ import annotations

import asyncio
from typing import Any

from requests_app.client import AsyncClient, SyncClient

KINDS = ("sync", "async")


async def by(
    kind: str, name: str, *given: Any, url: str, token: str = "fdk_t", **named: Any
) -> Any:
    """Call a method of a new client; what it yields comes as a list."""
    options = {"allow_duplicate": named.pop("allow_duplicate", True), "url": url}
    if kind == "sync":
        return await asyncio.to_thread(_sync, name, given, named, token, options)
    async with AsyncClient(token, **options) as client:
        result = getattr(client, name)(*given, **named)
        return [each async for each in result] if name == "stream" else await result


def _sync(name: str, given: Any, named: Any, token: str, options: Any) -> Any:
    with SyncClient(token, **options) as client:
        result = getattr(client, name)(*given, **named)
        return list(result) if name == "stream" else result
