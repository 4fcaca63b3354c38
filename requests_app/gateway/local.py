"""Calls of own apps (`LOCAL_APPS`): the queue is this installation's, and a direct call goes to the app itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Protocol

from multidict import CIMultiDict

from requests_app.fal.errors import Unanswered
from requests_app.faults.rules import Rule
from requests_app.gateway.upstream import Body, Upstream
from requests_app.localqueue import hooks
from requests_app.localqueue.answers import LocalReply
from requests_app.localqueue.places import LocalPlace, Service
from requests_app.localqueue.queue import MOST_BODY, DatabaseCall, QueueCall, answer
from requests_app.worker.faults import DATABASE_AWAY

JWKS = ".well-known/jwks.json"  # below /gateway/


class LocalUpstream:
    """Stands in for the connections to fal in one call of one team."""

    def __init__(
        self, place: LocalPlace, team_pk: int, network: Upstream, database: DatabaseCall,
        webhook_fault: Rule | None = None,
    ) -> None:  # fmt: skip
        self._place, self._team_pk, self._webhook_fault = place, team_pk, webhook_fault
        self._network, self._database = network, database

    @asynccontextmanager
    async def opened(
        self, method: str, url: str, headers: list[tuple[str, str]], body: Body
    ) -> AsyncIterator[Any]:
        """Make the call, as `Upstream` does."""
        if self._place.service is Service.RUN:
            query = url.partition("?")[2]
            url = self._place.app_url + (f"?{query}" if query else "")
            async with self._network.opened(method, url, headers, body) as response:
                yield response
            return
        named = {name.lower(): text for name, text in headers}
        asked = QueueCall(
            method, self._place, named, await whole(body), self._team_pk,
            asdict(self._webhook_fault) if self._webhook_fault else None,
        )  # fmt: skip
        try:
            reply = await answer(asked, self._database)
        except DATABASE_AWAY as error:
            raise Unanswered("Faldeck's database is away.") from error
        yield LocalResponse(reply)


async def whole(body: Body) -> bytes:
    """Return a body, or as much of it as shows that it is too large."""
    if body is None or isinstance(body, bytes):
        return body or b""
    whole = bytearray()
    async for piece in body:
        if len(whole) <= MOST_BODY:
            whole += piece
    return bytes(whole)


class _Content(Protocol):
    def iter_any(self) -> AsyncIterator[bytes]: ...


class LocalResponse:
    """An answer in the form of aiohttp's responses, as far as an exchange reads them."""

    def __init__(self, reply: LocalReply) -> None:
        self._reply = reply
        self.status = reply.status_code
        self.headers = CIMultiDict(reply.headers)
        if reply.events is None:
            self.headers["content-length"] = str(len(reply.body))
        self.raw_headers = tuple((n.encode(), text.encode()) for n, text in self.headers.items())
        self.content: _Content = self

    @property
    def content_length(self) -> int | None:
        return None if self._reply.events else len(self._reply.body)

    async def read(self) -> bytes:
        return self._reply.body

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes."""
        if self._reply.events is None:
            yield self._reply.body
            return
        async for event in self._reply.events:
            yield event


def jwks() -> bytes:
    """Return the document with the key that signs webhooks of own apps."""
    return json.dumps(hooks.jwks()).encode()
