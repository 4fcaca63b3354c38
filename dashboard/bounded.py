"""Daphne with limits: no client can make it hold unlimited memory, disk or connections.

Daphne 4.2 reads a whole body before it asks the application, accepts everything the application
sends however slowly the client reads, and waits for ever for a header that arrives in drips.
`install` replaces the two factories that `Server.run` looks up by name with subclasses, and wraps
two methods of `Server`; nothing else of Daphne is touched::

    what                          limit                        at the limit
    request body                  Limits.body                  413, before or while it is read
    the same, below Limits.streamed  Limits.streamed_body      413; read no faster than the application takes it
    request header                Limits.header_s in all       408
    request header's size         HEADER bytes in all          400
    request body's rate           Limits.body_rate after 30 s  408
    unsent HTTP response          64 kB (Twisted's buffer)     the application waits; closed after
                                                               Limits.stall_s without progress
    a reply that cannot be whole  -                            the connection ends, by a message of its own
    unsent socket messages        64 kB (Twisted's buffer)     the application waits; closed as above, and
                                                               at Limits.unsent if it does not wait
    unread socket messages        Limits.waiting, unread       the sender waits (TCP); closed after
                                                               Limits.stall_s without progress
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory
from daphne.ws_protocol import WebSocketFactory
from django.conf import settings
from twisted.internet import reactor  # chosen by Daphne's import, above
from twisted.internet.interfaces import ISSLTransport
from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol

from dashboard import websocket
from dashboard.masking import mask
from dashboard.streamed import StreamedRequest
from dashboard.websocket import LeanWebSocket, unsent

logger = logging.getLogger(__name__)

LOOK_S = 0.002  # how soon a paused sender may go on
HEADER = 64 * 1024  # bytes; fal sends up to 16 KB of headers, which is Twisted's own total limit
MOST_HEADERS = 4096
CUT = "faldeck.cut"  # of the gateway: fal broke its reply off, and so do we
LINGER_S = 1.0  # how long a refused client may go on sending, so that it can read the answer


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    body: int = 32 * 1024 * 1024
    streamed: str = ""  # paths that begin so get their bodies as they come; none by default
    streamed_body: int = 1024 * 1024 * 1024
    header_s: float = 10
    body_s: float = 30  # after this, the body must have arrived at `body_rate` on average
    body_rate: int = 16 * 1024  # bytes per second
    stall_s: float = 30
    unsent: int = 4 * 1024 * 1024
    waiting: int = 64  # messages
    unread: int = 4 * 1024 * 1024  # bytes of waiting messages


limits = Limits()


def install(wanted: Limits | None = None, *, streamed: str = "") -> None:
    """Limit every Daphne server of this process that is started from now on."""
    global limits
    limits = wanted or Limits(
        body=settings.BODY_LIMIT_BYTES,
        streamed=streamed,
        streamed_body=settings.GATEWAY_BODY_LIMIT_BYTES,
    )
    websocket.install()
    daphne.server.HTTPFactory = BoundedHTTPFactory
    daphne.server.WebSocketFactory = BoundedWebSocketFactory
    daphne.server.Server.handle_reply = _handle_reply
    daphne.server.Server.log_action = _log_action


class Paced:
    """A connection that tracks whether its client keeps up. Twisted calls it a push producer."""

    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._writable = asyncio.Event()
        self._writable.set()

    def pauseProducing(self) -> None:
        """Twisted's buffer is full: senders must wait (backpressure)."""
        self._writable.clear()

    def resumeProducing(self) -> None:
        """Twisted's buffer has been sent."""
        self._writable.set()

    @property
    def keeps_up(self) -> bool:
        """Whether senders need not wait."""
        return self._writable.is_set()

    async def drained(self) -> None:
        """Wait until the client has caught up; abort one that reads nothing for too long."""
        while not self.keeps_up:
            before = unsent(self.transport)
            try:
                async with asyncio.timeout(limits.stall_s):
                    await self._writable.wait()
            except TimeoutError:
                if unsent(self.transport) >= before:
                    logger.info("Cut a reader that took nothing for %s s.", limits.stall_s)
                    self.transport.abortConnection()
                    return


_HTTPChannel: Any = HTTPChannel  # Twisted types only some of its methods


class BoundedChannel(Paced, _HTTPChannel):  # type: ignore[misc]
    """One connection: its deadlines, its refusals, and whether its client keeps up."""

    MAX_LENGTH = totalHeadersSize = HEADER
    maxHeaders = MOST_HEADERS

    def __init__(self) -> None:
        super().__init__()
        self._deadline: Any = None
        self._refused = False
        self._has_rest = False  # of a body whose request has been answered
        self._body_started = 0.0
        self._body_size = 0
        self._body_limit = 0

    # The request's side

    def dataReceived(self, data: bytes) -> None:
        """Start the header's deadline at its first byte."""
        if not (self._handlingRequest or self._deadline or self._refused):
            self._deadline = self.callLater(limits.header_s, self._give_up)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if not self._refused:
            super().lineReceived(line)

    def allHeadersReceived(self) -> None:
        """Refuse a body that declares too large a size; start the deadline of any other."""
        self._stop_deadline()
        self.is_streamed = bool(limits.streamed) and self._path.startswith(limits.streamed.encode())
        self._body_limit = limits.streamed_body if self.is_streamed else limits.body
        if self.length is not None and self.length > self._body_limit:
            self._refuse_size()
            return
        self._body_started, self._body_size = time.monotonic(), 0
        self._deadline = self.callLater(limits.body_s, self._check_rate)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """Read a piece of the body; drop it if the request has been refused."""
        if not self._refused:
            super().rawDataReceived(data)

    def count(self, data: bytes) -> bool:
        """Whether this piece of the body still fits; refuses the request when it does not."""
        self._body_size += len(data)
        if self._body_size > self._body_limit and not self._refused:
            self._refuse_size()
        return not self._refused

    def allContentReceived(self) -> None:
        self._stop_deadline()
        if not self._refused:
            super().allContentReceived()

    def connectionLost(self, reason: Any) -> None:
        """Release all that wait for this connection."""
        self._stop_deadline()
        self._writable.set()
        super().connectionLost(reason)

    def _stop_deadline(self) -> None:
        if self._deadline and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _check_rate(self) -> None:
        # A rate and not a fixed end: an honest client with a large body needs minutes.
        elapsed = time.monotonic() - self._body_started - self.requests[-1].held_s
        if self._body_size < limits.body_rate * elapsed:
            self._give_up()
        else:
            self._deadline = self.callLater(limits.body_s, self._check_rate)

    def _give_up(self) -> None:
        self._refuse(b"408 Request Timeout", b"The request took too long to arrive.\n")

    def _refuse_size(self) -> None:
        text = b"The body is larger than the %d bytes this server accepts.\n" % self._body_limit
        self._refuse(b"413 Content Too Large", text)

    def _refuse(self, status: bytes, text: bytes) -> None:
        """Answer without the application, unless that answers already, and end the connection."""
        if self.requests and self.requests[-1].startedWriting:
            self.transport.abortConnection()
            return
        head = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: text/plain\r\n" % status
        self.transport.write(head + b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
        self._linger()

    def drop_rest(self) -> None:
        """Read no more requests: this one is answered, and the rest of its body is not."""
        self.persistent, self._has_rest = False, True

    def loseConnection(self) -> None:
        """End the connection; an answer that comes before the end of the body is to be read first."""
        if not self._has_rest or self._refused:
            super().loseConnection()
            return
        self._networkProducer.unregisterProducer()
        self._linger()

    def _linger(self) -> None:
        """Read and drop further bytes for a moment, then end.

        A socket that is closed with unread bytes is reset, which can destroy the answer on its way.
        """
        self._stop_deadline()
        self._refused = True
        if not ISSLTransport.providedBy(self.transport):  # the answer is still to be encrypted
            self.transport.loseWriteConnection()
        self._deadline = self.callLater(LINGER_S, self.transport.abortConnection)

    # The response's side

    def pauseProducing(self) -> None:
        """Pause the response, and the next request."""
        Paced.pauseProducing(self)
        _HTTPChannel.pauseProducing(self)

    def resumeProducing(self) -> None:
        Paced.resumeProducing(self)
        _HTTPChannel.resumeProducing(self)


class BoundedRequest(StreamedRequest):
    """An HTTP request whose body is counted."""

    def __init__(self, channel: BoundedChannel, queued: object = 0) -> None:
        # Off: Twisted's own parsing of forms, which is not used and multiplies the body in memory.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body (into memory up to 100 kB, then on disk, unless it is streamed)."""
        if self.channel.count(data):
            super().handleContentChunk(data)

    def __repr__(self) -> str:
        # Daphne logs it when the application ends late.
        return mask(super().__repr__())


class BoundedHTTPFactory(HTTPFactory):  # type: ignore[misc]
    """Makes bounded connections and requests."""

    @staticmethod
    def protocol() -> _GenericHTTPChannelProtocol:
        """Return the connection in the wrapper Twisted's factory requires."""
        return _GenericHTTPChannelProtocol(BoundedChannel())

    def buildProtocol(self, addr: Any) -> Any:
        """Return a connection whose requests are bounded."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol

    def log(self, request: Any) -> None:
        """Log nothing: Daphne has its own access log, which is masked."""


class BoundedWebSocket(Paced, LeanWebSocket):
    """One socket with backpressure in both directions: a slow side pauses the other."""

    def __init__(self) -> None:
        super().__init__()
        self._unread = 0  # bytes since the application last had read everything
        self._held_at: float | None = None
        self._held_size = 0

    def connectionMade(self) -> None:
        """Register as producer: until now the connection was an HTTP one."""
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)  # noqa: FBT003 (Twisted's)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        """Release all that wait for this connection."""
        self._writable.set()
        super().connectionLost(reason)

    def stopProducing(self) -> None:
        """Twisted's name for the end of the connection."""
        self._writable.set()

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: FBT001, FBT002
        """Send a message, unless too much is still unsent. A client that has said goodbye reads no more."""
        if unsent(self.transport) > limits.unsent:
            logger.info("Cut a socket that left %s bytes unread.", limits.unsent)
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN:  # Autobahn raises in the moment between close and end
            super().serverSend(content, binary)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001
        """Queue a message for the application; stop reading while too many wait.

        What Twisted has read already (64 kB at most) is still queued.
        """
        if self.application_queue.empty():
            self._unread = 0
        super().onMessage(payload, isBinary)
        self._unread += len(payload)
        if self._held_at is None and self._is_full():
            self._held_at, self._held_size = time.monotonic(), self.application_queue.qsize()
            self.transport.pauseProducing()
            self._look_later()

    def _is_full(self) -> bool:
        return bool(
            self.application_queue.qsize() >= limits.waiting or self._unread >= limits.unread
        )

    def _look_later(self) -> None:
        later: Any = reactor
        later.callLater(LOOK_S, self._look)

    def _look(self) -> None:
        """Resume reading once the application has caught up; abort the socket if it never does."""
        size = self.application_queue.qsize()
        if self._held_at is None or self.state == self.STATE_CLOSED:
            return
        if size <= limits.waiting // 2 and (self._unread < limits.unread or not size):
            self._held_at = None
            self.transport.resumeProducing()
            return
        if size < self._held_size:
            self._held_at, self._held_size = time.monotonic(), size
        if time.monotonic() - self._held_at > limits.stall_s:
            logger.info("Cut a socket whose messages nobody read for %s s.", limits.stall_s)
            self.transport.abortConnection()
            return
        self._look_later()


class BoundedWebSocketFactory(WebSocketFactory):  # type: ignore[misc]
    """Makes bounded sockets."""

    protocol = BoundedWebSocket


def _cut(protocol: Any) -> None:
    """End the connection in mid-reply: ASGI has no message by which a client sees that a reply is not whole."""
    if protocol.channel is not None and not protocol.finished:
        protocol.channel.loseConnection()


_daphne_handle_reply = daphne.server.Server.handle_reply
_daphne_log_action = daphne.server.Server.log_action


async def _handle_reply(server: Any, protocol: Any, message: dict[str, Any]) -> None:
    """Wrap `Server.handle_reply`, which the application awaits: it waits here for a slow client.

    This holds for sockets too: a slow or suspended page delays only its own consumer.
    """
    if message["type"] == CUT:
        _cut(protocol)
        return
    if message["type"] == "http.response.start" and isinstance(protocol, StreamedRequest):
        protocol.close_unless_whole()
    await _daphne_handle_reply(server, protocol, message)
    # None once the response is complete or aborted.
    connection = getattr(protocol, "channel", protocol)
    if isinstance(connection, Paced) and not connection.keeps_up:
        await connection.drained()


def _log_action(server: Any, protocol: str, action: str, details: dict[str, Any]) -> None:
    """Log without the secrets in the path."""
    _daphne_log_action(server, protocol, action, {**details, "path": mask(details["path"])})
