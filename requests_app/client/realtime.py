"""Realtime sessions: a WebSocket to Faldeck, which passes fal's messages on as they are and records them."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from websockets.asyncio.client import ClientConnection as AsyncClientConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidStatus,
)
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_sync

from .calls import AnyJSON, Place
from .errors import FalClientConnectionError, FalClientError

OPEN_S = 90.0  # for the session to stand at fal too
BUFFERING = (1, 60)

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


class RealtimeError(RuntimeError):
    """fal, or Faldeck, reports an error of the session; `payload` is its message."""

    def __init__(
        self, error: str, reason: str | None = None, payload: AnyJSON | None = None
    ) -> None:
        self.error = error
        self.reason = reason or ""
        self.payload = payload or {}
        super().__init__(f"{error}: {reason}" if reason else error)


@dataclass(frozen=True)
class AskedSession:
    """The session to open, by the names of fal's client."""

    application: str
    path: str
    max_buffering: int | None
    use_jwt: bool
    headers: Mapping[str, str]
    hint: str | None

    def url(self, place: Place) -> str:
        """Return the socket's address. Raises ValueError for what fal's client refuses too."""
        query: dict[str, str] = {"path": self.path}
        least, most = BUFFERING
        if self.max_buffering is not None:
            if not least <= self.max_buffering <= most:
                raise ValueError(f"max_buffering must be between {least} and {most} (inclusive)")
            query["max_buffering"] = str(self.max_buffering)
        if not self.use_jwt:
            query["auth"] = "key"
        options: AnyJSON = {"headers": dict(self.headers)} if self.headers else {}
        if self.hint is not None:
            options["runner_hint"] = self.hint
        if options:
            query["options"] = json.dumps(options)
        base = "ws" + place.api.removeprefix("http")
        endpoint = quote(self.application.strip("/"))
        return f"{base}realtime/{endpoint}?{urlencode(query)}"


@dataclass
class RealtimeConnection:
    """An open session. `request_id` is Faldeck's id of it."""

    _ws: ClientConnection
    request_id: str
    _encode_message: Encode | None = None
    _decode_message: Decode | None = None

    def send(self, arguments: AnyJSON) -> None:
        """Send a message, packed as msgpack or by the encoder that was given."""
        self._ws.send((self._encode_message or packed)(arguments))

    def recv(self) -> AnyJSON | None:
        """Return the next message; None when the session has ended in order. Raises RealtimeError."""
        while True:
            try:
                message = self._ws.recv()
            except ConnectionClosed as closed:
                ensure_in_order(closed)
                return None
            value: AnyJSON | None = decoded(message, self._decode_message)
            if value is not None:
                return value

    def close(self) -> None:
        """End the session."""
        self._ws.close()

    def __enter__(self) -> RealtimeConnection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class AsyncRealtimeConnection:
    """An open session. `request_id` is Faldeck's id of it."""

    _ws: AsyncClientConnection
    request_id: str
    _encode_message: Encode | None = None
    _decode_message: Decode | None = None

    async def send(self, arguments: AnyJSON) -> None:
        """Send a message, packed as msgpack or by the encoder that was given."""
        await self._ws.send((self._encode_message or packed)(arguments))

    async def recv(self) -> AnyJSON | None:
        """Return the next message; None when the session has ended in order. Raises RealtimeError."""
        while True:
            try:
                message = await self._ws.recv()
            except ConnectionClosed as closed:
                ensure_in_order(closed)
                return None
            value: AnyJSON | None = decoded(message, self._decode_message)
            if value is not None:
                return value

    async def close(self) -> None:
        """End the session."""
        await self._ws.close()

    async def __aenter__(self) -> AsyncRealtimeConnection:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@contextmanager
def opened(place: Place, session: AskedSession) -> Generator[tuple[ClientConnection, str]]:
    """Open a session; yield its socket and its id. Raises RealtimeError when it is refused."""
    url = session.url(place)
    try:
        socket = connect_sync(
            url, additional_headers=place.headers, open_timeout=OPEN_S, max_size=None
        )
    except (OSError, InvalidHandshake) as error:
        raise _named(error, place) from error
    with socket:
        try:
            first = socket.recv(OPEN_S)
        except (ConnectionClosed, TimeoutError) as error:
            raise _named(error, place) from error
        yield socket, id_in(first)


@asynccontextmanager
async def opened_async(
    place: Place, session: AskedSession
) -> AsyncGenerator[tuple[AsyncClientConnection, str]]:
    """Open a session; yield its socket and its id. Raises RealtimeError when it is refused."""
    url = session.url(place)
    try:
        socket = await connect_async(
            url, additional_headers=place.headers, open_timeout=OPEN_S, max_size=None
        )
    except (OSError, InvalidHandshake) as error:
        raise _named(error, place) from error
    async with socket:
        try:
            first = await socket.recv()
        except ConnectionClosed as error:
            raise _named(error, place) from error
        yield socket, id_in(first)


def _named(error: Exception, place: Place) -> FalClientError:
    if isinstance(error, InvalidStatus):
        code = error.response.status_code
        return FalClientError(f"{place.url} opens no session (HTTP {code}): check FALDECK_URL.")
    why = str(error) or type(error).__name__
    return FalClientConnectionError(f"{place.url} does not answer: {why}")


def id_in(message: str | bytes) -> str:
    """Return the id of the session that Faldeck names first. Raises RealtimeError for a refusal."""
    told = json.loads(message) if isinstance(message, str) else {}
    if told.get("type") == "x-fal-error":
        raise RealtimeError(told.get("error", "UNKNOWN_ERROR"), told.get("reason"), told)
    if told.get("action") != "session":
        raise FalClientError("This is no Faldeck that opens sessions: check FALDECK_URL.")
    return str(told["id"])


def ensure_in_order(closed: ConnectionClosed) -> None:
    """Raise RealtimeError when the session broke off."""
    if not isinstance(closed, ConnectionClosedOK):
        raise RealtimeError("CONNECTION_CLOSED", str(closed)) from closed


def decoded(message: str | bytes, decode: Decode | None) -> Any:
    """Return the message as fal's client shows it; None for one that is about the session."""
    if not isinstance(message, str):
        return (decode or unpacked)(bytes(message))
    try:
        payload = json.loads(message)
    except ValueError:
        return {"type": "text", "payload": message}
    kind = payload.get("type") if isinstance(payload, dict) else None
    if kind == "x-fal-error":
        error = payload.get("error", "UNKNOWN_ERROR")
        raise RealtimeError(error, payload.get("reason"), payload)
    return None if kind == "x-fal-message" else payload


def packed(message: Any) -> bytes:
    """Return the message as msgpack."""
    data: bytes = _msgpack().packb(message, use_bin_type=True)
    return data


def unpacked(message: bytes) -> Any:
    """Return what msgpack holds."""
    return _msgpack().unpackb(message, raw=False)


def _msgpack() -> Any:
    try:
        return importlib.import_module("msgpack")
    except ModuleNotFoundError:
        raise FalClientError(
            "Messages are packed by msgpack: pip install msgpack, or give encode_message and "
            "decode_message."
        ) from None
