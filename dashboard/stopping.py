"""Graceful stop: refuse new connections, finish requests in progress, close sockets, then end.

SIGTERM or SIGINT begins it, a second one ends it at once. Daphne by itself cancels every response
in progress.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import signal
import socket
import struct
from contextlib import suppress
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor  # installed by Daphne's import

from dashboard.websocket import unsent

DRAIN_S = 10.0  # for responses in progress; an event stream has no end and is cut off then
LOOK_EVERY_S = 0.05
HANDSHAKE_S = 0.05  # for the last packet of a handshake that was answered
SETTLE_S = 0.3  # for requests under way on accepted connections
GOING_AWAY = 4500  # to browsers: the server is restarting, reconnect

logger = logging.getLogger(__name__)


# Linux: a packet filter on a socket (socket(7)); Python has no name for it.
SO_ATTACH_FILTER = 26
# In the kernel's filter language: load the flags of the TCP header; SYN set: drop; else: accept.
_NO_SYN = struct.pack(
    "HBBI" * 4, 0x30, 0, 0, 13, 0x45, 0, 1, 0x02, 0x06, 0, 0, 0, 0x06, 0, 0, 0xFFFFFFFF
)


def stop_accepting(listening: socket.socket) -> None:
    """Drop new connection attempts: the client retries after a second, and is refused by then.
    Without this a connection could arrive between the last accept and the close, and would be
    reset with its request sent. On systems without this filter (not Linux), that gap remains.
    """
    program = ctypes.create_string_buffer(_NO_SYN)
    with suppress(OSError):
        pointer = struct.pack("HP", len(_NO_SYN) // 8, ctypes.addressof(program))
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def _close_door(port: Any) -> None:
    """Accept what the kernel has queued, then close: those clients have sent their request, and a
    proxy would not repeat a POST. Twisted accepts few at a time, and closes one loop iteration
    later.
    """
    port.numberAccepts = socket.SOMAXCONN
    port.doRead()
    with suppress(OSError):  # not every system can shut down a listening socket
        port.socket.shutdown(socket.SHUT_RD)
    port.stopListening()


class GracefulServer(Server):  # type: ignore[misc]
    """Daphne with a stop that fails no request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, signal_handlers=False)
        self._ports: list[Any] = []
        self._stopping: asyncio.Task[None] | None = None

    def listen_success(self, port: Any) -> None:
        """Remember the port; from here on a signal means a graceful stop."""
        super().listen_success(port)
        self._ports.append(port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: reactor.callFromThread(self.stop_in_order))

    def stop_in_order(self) -> None:
        """Begin; a second call ends at once. On the reactor's thread."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._drain())
        else:
            self.stop()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        for port in self._ports:
            stop_accepting(port.socket)
        await asyncio.sleep(HANDSHAKE_S)
        for port in self._ports:
            _close_door(port)
        self._close_sockets()
        end = loop.time() + DRAIN_S
        await asyncio.sleep(SETTLE_S)
        self._close_sockets()  # those whose handshake was under way
        while (tasks := self._at_work()) and loop.time() < end:
            await asyncio.wait(tasks, timeout=end - loop.time())
        await self._flushed(end)
        if tasks:
            logger.warning("The stop cuts off %s connections.", len(tasks))
        self.stop()

    async def _flushed(self, end: float) -> None:
        """Wait for finished responses that are still on their way to a slow client."""
        for protocol in list(self.connections):
            transport = getattr(getattr(protocol, "channel", protocol), "transport", None)
            # Twisted has no notification for this.
            while transport and unsent(transport) and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)

    def _close_sockets(self) -> None:
        """Close all sockets; their consumers get a disconnect, as when a tab is closed."""
        for protocol in list(self.connections):
            is_socket = isinstance(protocol, WebSocketProtocol)
            if is_socket and protocol.state == WebSocketProtocol.STATE_OPEN:
                protocol.serverClose(code=GOING_AWAY)

    def _at_work(self) -> set[asyncio.Task[Any]]:
        """Return the applications that have not ended yet."""
        tasks = (details.get("application_instance") for details in self.connections.values())
        return {task for task in tasks if task is not None and not task.done()}
