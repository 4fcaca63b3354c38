"""A realtime session: one WebSocket to fal, opened once and never reopened automatically.

Memory is bounded by the size limit of one message, however slowly the session is read: after two
queued messages (or the many small ones of one read, 256 KB) the socket is not read and the peer
has to stop (backpressure). A reader that stalls for 20 to 40 s receives no pongs and loses the
session.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from .call import Call
from .close_codes import LOST, CloseReason, describe_close, ending
from .endpoints import EndpointId
from .errors import NotSent, Unanswered
from .headers import ensure_ours
from .realtime_control import Control
from .realtime_handshake import CLOSE_TIMEOUT_S, open_socket
from .realtime_incoming import Incoming, decode_message
from .realtime_outgoing import Outgoing
from .realtime_token import fetch_token
from .realtime_url import REALTIME, realtime_url
from .transport import MESSAGE

if TYPE_CHECKING:
    from .client import FalClient

Auth = Literal["token", "key"]

SEND_TIMEOUT_S = 30.0
SMALL = 16 * 1024  # bytes; so many always fit into an empty buffer


class RealtimeConnection:
    """An open session. Iterate it for messages; when that ends, ``ending`` says how.

    One task may read while others send. ``ending`` is None until then.
    """

    def __init__(
        self,
        opened: ClientConnection,
        *,
        peer: str = "fal",
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        self._socket, self._peer = opened, peer
        self._send_timeout_s = send_timeout_s
        self._last_word: Control | None = None
        self.ending: CloseReason | None = None

    def __aiter__(self) -> AsyncIterator[Incoming]:
        return self

    async def __anext__(self) -> Incoming:
        """Return the next message; safe to cancel. Stops, never raises, when the session is over."""
        try:
            message = decode_message(await self._socket.recv())
        except ConnectionClosed as exc:
            self._end(exc)
            raise StopAsyncIteration from None
        if message.control is not None and message.control.ends_session:
            self._last_word = message.control
        return message

    async def send(self, message: Outgoing) -> None:
        """Send once; waits while the peer does not read.

        Raises NotSent when the session is over, Unanswered when it ended or stalled while sending:
        the app may have received the message.
        """
        if self._socket.state is not State.OPEN:
            raise NotSent("The session is over; the message was not sent.")
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._socket.send(message.data)
        except TimeoutError as exc:
            # The library's pings wait behind the same full buffer and would never notice.
            self._socket.transport.abort()
            raise Unanswered("fal stopped reading the session; it was cut.") from exc
        except ConnectionClosed as exc:
            raise Unanswered("The session ended while the message was sent.") from exc

    def send_now(self, message: Outgoing) -> bool:
        """Send without waiting; return False when that is impossible and nothing was sent: use
        ``send``.
        """
        transport = self._socket.transport
        is_free = not (transport.is_closing() or transport.get_write_buffer_size())
        if self._socket.state is not State.OPEN or not is_free or message.size > SMALL:
            return False
        broadcast([self._socket], message.data)
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, or abort after CLOSE_TIMEOUT_S. Closing twice does nothing."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close(code, reason)
        except TimeoutError:
            self._socket.transport.abort()
        await self._socket.wait_closed()
        self._end(self._socket.protocol.close_exc)

    def _end(self, exc: ConnectionClosed) -> None:
        if self.ending is None:
            self.ending = ending(_close_of(exc, self._peer), self._last_word, self._peer)


@asynccontextmanager
async def connect(
    client: FalClient,
    endpoint: EndpointId,
    *,
    path: str = REALTIME,
    auth: Auth = "token",
    max_buffering: int | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
    open_timeout_s: float = 30.0,
    send_timeout_s: float = SEND_TIMEOUT_S,
    max_size: int = MESSAGE,
) -> AsyncIterator[RealtimeConnection]:
    """Open a session; leaving the context closes it. ``max_size``: bytes of one message from fal.

    ``auth`` "token" fetches a fresh token first; "key" sends the key in the handshake. ``headers``
    are the caller's own and go with the handshake. Nothing is retried. Raises ValueError before
    anything is sent, NotSent, Refused or Unanswered.
    """
    # Validated before the token: invalid input must not cost a call.
    ensure_ours(headers)
    url = realtime_url(client.hosts, endpoint, path=path, max_buffering=max_buffering)
    sent = dict(headers)
    if auth == "key":
        sent |= _key_header(client, url)
    else:
        token = await fetch_token(client, endpoint, path=path)
        url = realtime_url(
            client.hosts, endpoint, path=path, token=token.value, max_buffering=max_buffering
        )
    async with connect_to(
        url,
        sent,
        open_timeout_s=open_timeout_s,
        send_timeout_s=send_timeout_s,
        max_size=max_size,
    ) as connection:
        yield connection


@asynccontextmanager
async def connect_to(
    url: str,
    headers: Mapping[str, str],
    *,
    peer: str = "fal",
    open_timeout_s: float = 30.0,
    send_timeout_s: float = SEND_TIMEOUT_S,
    max_size: int = MESSAGE,
) -> AsyncIterator[RealtimeConnection]:
    """Open a session at this URL with these headers, as they are; leaving the context closes it.

    ``peer``: who is called there, as sentences name it. Nothing is retried. Raises NotSent, Refused or
    Unanswered.
    """
    opened = await open_socket(
        url, headers, open_timeout_s=open_timeout_s, max_size=max_size, peer=peer
    )
    connection = RealtimeConnection(opened, peer=peer, send_timeout_s=send_timeout_s)
    try:
        yield connection
    finally:
        await connection.close()


def _key_header(client: FalClient, url: str) -> dict[str, str]:
    headers = client.wire._our_headers(Call("GET", url, {}))
    return {name: value for name, value in headers.items() if name == "Authorization"}


def _close_of(exc: ConnectionClosed, peer: str) -> CloseReason:
    received, sent = exc.rcvd, exc.sent
    if sent is not None and not exc.rcvd_then_sent:
        return describe_close(sent.code, sent.reason, ours=True, peer=peer)
    if received is not None:
        return describe_close(received.code, received.reason, peer=peer)
    return describe_close(LOST, peer=peer)
