"""Between the worker's HTTP client and the network: what is for an own app never leaves for fal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from django.db import DatabaseError

from requests_app.fal.sessions import LazySession, new_transport
from requests_app.localqueue.answers import LocalReply
from requests_app.localqueue.places import Service, place_of
from requests_app.localqueue.queue import DatabaseCall, QueueCall, answer

_NOT_THE_APPS = ("authorization", "host")


class LocalTransport(httpx.AsyncBaseTransport):
    """Queue calls are answered here, direct calls go to the app without the key, others to the network."""

    def __init__(self, database: DatabaseCall) -> None:
        self._database = database
        self._sessions = LazySession(reuse=True), LazySession(reuse=False)
        self._reads, self._posts = (new_transport(each) for each in self._sessions)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place = place_of(str(request.url))
        if place is not None and place.service is not Service.RUN:
            headers = {name.lower(): text for name, text in request.headers.items()}
            asked = QueueCall(request.method, place, headers, await request.aread())
            try:
                return _as_httpx(await answer(asked, self._database))
            except DatabaseError as error:
                raise httpx.ReadError("the database is away") from error
        if place is not None:
            request = _for_the_app(request, place.app_url)
        network = self._posts if request.method == "POST" else self._reads
        return await network.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            await session.aclose()


def _for_the_app(request: httpx.Request, url: str) -> httpx.Request:
    headers = [one for one in request.headers.multi_items() if one[0].lower() not in _NOT_THE_APPS]
    address = httpx.URL(url).copy_merge_params(request.url.params)
    return httpx.Request(
        request.method,
        address,
        headers=headers,
        stream=request.stream,
        extensions=request.extensions,
    )


class _Events(httpx.AsyncByteStream):
    def __init__(self, events: AsyncIterator[bytes]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            yield event


def _as_httpx(reply: LocalReply) -> httpx.Response:
    if reply.events is not None:
        return httpx.Response(
            reply.status_code, headers=reply.headers, stream=_Events(reply.events)
        )
    return httpx.Response(reply.status_code, headers=reply.headers, content=reply.body)
