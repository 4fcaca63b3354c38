"""A stop in order: no new connections, what was asked is answered, sockets are told, then the end.

SIGTERM or SIGINT begins it, a second one ends it at once. Daphne by itself cancels every reply in the
making.
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

DRAIN_S = 10.0  # for replies in the making; an event stream has no end and is cut then
LOOK_EVERY_S = 0.05
HANDSHAKE_S = 0.05  # for the last packet of a handshake that was answered
SETTLE_S = 0.3  # for requests that are on their way on connections we took
GOING_AWAY = 4500  # to browsers: nothing is wrong with you, come back

logger = logging.getLogger(__name__)


# Linux: a packet filter on a socket (socket(7)); Python has no name for it.
SO_ATTACH_FILTER = 26
# In the kernel's filter language: load the flags of the TCP header; SYN set: drop; else: take it whole.
_NO_SYN = struct.pack(
    "HBBI" * 4, 0x30, 0, 0, 13, 0x45, 0, 1, 0x02, 0x06, 0, 0, 0, 0x06, 0, 0, 0xFFFFFFFF
)


def let_nobody_new_in(listening: socket.socket) -> None:
    """From here on a new connection goes unanswered: its side asks again after a second, and is refused
    by then. Without it one could slip in between the last accept and the close, and would be reset with
    its request sent. Where the system has no such filter (not Linux), that gap remains.
    """
    program = ctypes.create_string_buffer(_NO_SYN)
    with suppress(OSError):
        pointer = struct.pack("HP", len(_NO_SYN) // 8, ctypes.addressof(program))
        listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def _close_door(port: Any) -> None:
    """First accept whom the kernel has let in already: they have sent their request, and a proxy would
    not repeat a POST of theirs. Twisted takes few at a time, and closes a turn of the loop later.
    """
    port.numberAccepts = socket.SOMAXCONN
    port.doRead()
    with suppress(OSError):  # not every system lets a listening socket be shut down
        port.socket.shutdown(socket.SHUT_RD)
    port.stopListening()


class GracefulServer(Server):  # type: ignore[misc]
    """Daphne with a stop that fails no request."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, signal_handlers=False)
        self._ports: list[Any] = []
        self._stopping: asyncio.Task[None] | None = None

    def listen_success(self, port: Any) -> None:
        """Remember what to close; from here on a signal means a stop in order."""
        super().listen_success(port)
        self._ports.append(port)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: reactor.callFromThread(self.stop_in_order))

    def stop_in_order(self) -> None:
        """Begin; asked again, end at once. On the reactor's thread."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._drain())
        else:
            self.stop()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        for port in self._ports:
            let_nobody_new_in(port.socket)
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
        """A reply that was made may still be on its way to a slow reader."""
        for protocol in list(self.connections):
            transport = getattr(getattr(protocol, "channel", protocol), "transport", None)
            # Twisted tells nobody when it is through.
            while transport and unsent(transport) and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)

    def _close_sockets(self) -> None:
        """Their applications then see a disconnect, and end as when a tab is closed."""
        for protocol in list(self.connections):
            is_socket = isinstance(protocol, WebSocketProtocol)
            if is_socket and protocol.state == WebSocketProtocol.STATE_OPEN:
                protocol.serverClose(code=GOING_AWAY)

    def _at_work(self) -> set[asyncio.Task[Any]]:
        """Applications that have not ended yet."""
        tasks = (details.get("application_instance") for details in self.connections.values())
        return {task for task in tasks if task is not None and not task.done()}
