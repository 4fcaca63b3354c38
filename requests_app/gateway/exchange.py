"""One call: the caller's bytes go on to fal once, the reply's bytes come back as they arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from requests_app.fal.errors import FalError, NotSent
from requests_app.gateway.addresses import Address, Operation
from requests_app.gateway.faulty import FaultyUpstream
from requests_app.gateway.headers import Raw, first, to_caller
from requests_app.gateway.local import LocalUpstream
from requests_app.gateway.rewriting import MOST_HELD, Lines, Rewriting
from requests_app.gateway.upstream import Body, Upstream
from requests_app.gateway.witness import Witness

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CUT = {"type": "faldeck.cut"}  # see dashboard.bounded: end the connection in mid-reply
_HELD_WHOLE = (Operation.SUBMIT, Operation.STATUS, Operation.CANCEL)


class CallerGone(Exception):
    """The caller hung up before all of the body had come."""


class Exchange:
    """One call, to be made once with `run`."""

    def __init__(
        self, method: str, address: Address, headers: list[tuple[str, str]], raw: Raw,
        rewriting: Rewriting, upstream: Upstream | LocalUpstream | FaultyUpstream,
    ) -> None:  # fmt: skip
        self._method, self._address, self._headers = method, address, headers
        self._rewriting, self._upstream = rewriting, upstream
        self._length = first(raw, b"content-length")
        self.witness = Witness()
        self._has_begun = False  # the reply to the caller
        self._work: asyncio.Task[None] | None = None
        self._failure = ""
        self._all_read = asyncio.Event()

    def hang_up(self) -> None:
        """End a direct call, because a user cancelled its row."""
        self._failure = "stopped"
        if self._work:
            self._work.cancel()

    async def run(
        self, receive: Receive, send: Send, in_background: Callable[[Any], asyncio.Task[Any]]
    ) -> None:
        """Make the call and pass the reply back; the record is finished in the background."""
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        body = self._body(event, receive)
        self._work = in_background(self._told(body, send, in_background))
        gone = asyncio.create_task(self._until_gone(receive))
        try:
            await asyncio.wait({self._work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not self._work.done() and self._address.operation is not Operation.SUBMIT:
                self._failure = self._failure or "hung_up"
                self._work.cancel()  # fal ends a direct call whose caller leaves
                await asyncio.wait({self._work})
        finally:  # a submit that is under way is finished and recorded all the same
            gone.cancel()
        if self._failure == "stopped":
            await self._answer(send, 499, "A user of Faldeck cancelled this call.")

    def _body(self, event: dict[str, Any], receive: Receive) -> Body:
        piece = event.get("body", b"")
        if event.get("more_body"):
            return self._pieces(piece, receive)
        self._heard(piece)
        return piece if piece or self._length else None

    async def _pieces(self, piece: bytes, receive: Receive) -> AsyncIterator[bytes]:
        has_more = True
        while True:
            self._heard(piece, is_last=not has_more)
            if piece:
                yield piece
            if not has_more:
                return
            event = await receive()
            if event["type"] == "http.disconnect":
                self._failure = "hung_up"
                raise CallerGone
            piece, has_more = event.get("body", b""), event.get("more_body", False)

    def _heard(self, piece: bytes, *, is_last: bool = True) -> None:
        self.witness.input(piece)
        if is_last:
            self.witness.sent()
            self._all_read.set()

    async def _until_gone(self, receive: Receive) -> None:
        await self._all_read.wait()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _told(self, body: Body, send: Send, in_background: Callable[[Any], Any]) -> None:
        """Make the call, and tell the witness how it ended."""
        failure, sentence = "", ""
        try:
            await self._passed(body, send)
        except FalError as error:
            if self._failure == "hung_up":
                self.witness.never_sent()
                return
            failure = "not_sent" if isinstance(error, NotSent) else "unanswered"
            sentence = str(error)
            await self._answer(send, 502, f"{sentence} (Faldeck's gateway)")
        except (
            aiohttp.ClientError,
            OSError,
        ):  # in the middle of the reply: the caller must see that it is not whole
            failure, sentence = "broken", "fal broke off its reply."
            await cut(send)
        except asyncio.CancelledError:
            if not self._failure:  # the loop ends
                self.witness.cut_down()
                raise
            failure = self._failure
        in_background(self.witness.end(failure, sentence))

    async def _passed(self, body: Body, send: Send) -> None:
        headers = self._headers
        if self._length and not isinstance(body, bytes):
            headers = [*headers, ("content-length", self._length)]
        address = self._address
        async with self._upstream.opened(self._method, address.url, headers, body) as response:
            self.witness.head(
                response.status, {name.lower(): text for name, text in response.headers.items()}
            )
            if address.operation in _HELD_WHOLE and _is_small(response):
                await self._whole(response, send)
            else:
                await self._streamed(response, send)

    async def _whole(self, response: aiohttp.ClientResponse, send: Send) -> None:
        told = await response.read()
        self.witness.piece(told)
        body = self._rewriting.whole(told)
        is_same = body == told
        self.witness.whole()
        await self._begin(response, send, is_rewritten=not is_same)
        await send({"type": "http.response.body", "body": body})

    async def _streamed(self, response: aiohttp.ClientResponse, send: Send) -> None:
        is_status = self._address.operation is Operation.STATUS_STREAM
        lines = Lines(self._rewriting) if is_status else None
        await self._begin(response, send, is_rewritten=is_status)
        # The head leaves now: the first event of a stream may be minutes away.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        size, length = 0, response.content_length
        async for piece in response.content.iter_any():
            self.witness.piece(piece)
            size += len(piece)
            if size == length:
                self.witness.whole()
            passed = lines.feed(piece) if lines else piece
            if passed:
                await send({"type": "http.response.body", "body": passed, "more_body": True})
        if length is None or not size:
            self.witness.whole()
        await send({"type": "http.response.body", "body": lines.close() if lines else b""})

    async def _begin(
        self, response: aiohttp.ClientResponse, send: Send, *, is_rewritten: bool
    ) -> None:
        headers = to_caller(response.raw_headers, is_rewritten=is_rewritten)
        moved = self._rewriting.location
        headers = [
            (name, moved(value) if name == b"location" else value) for name, value in headers
        ]
        self._has_begun = True
        await send({"type": "http.response.start", "status": response.status, "headers": headers})

    async def _answer(self, send: Send, status: int, sentence: str) -> None:
        if self._has_begun:
            await cut(send)
        else:
            self._has_begun = True
            await answer(send, status, sentence)


def _is_small(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is not None and response.content_length <= MOST_HELD


async def cut(send: Send) -> None:
    """End the connection in mid-reply. Servers that do not know the message close it all the same."""
    with suppress(RuntimeError):
        await send(CUT)


async def answer(
    send: Send, code: int, detail: str, told: Mapping[str, str] | None = None, **more: str
) -> None:
    """Answer as fal does, in JSON."""
    await answer_json(send, json.dumps({"detail": detail, **more}).encode(), code, told or {})


async def answer_json(
    send: Send, body: bytes, code: int = 200, told: Mapping[str, str] | None = None
) -> None:
    """Send a whole document."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in (told or {}).items()]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
