"""Autobahn's WebSocket protocol without per-message costs that gain us nothing.

For each message it used two more loop iterations to send, an event without listeners, and a mask
and a UTF-8 check through cffi, which for a message of 20 MB block the loop for a tenth of a
second.
"""

from __future__ import annotations

from typing import Any

from autobahn.websocket import protocol
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.tcp import Connection
from websockets import frames


def install() -> None:
    """Use the fast mask on every socket of this process."""
    protocol.create_xor_masker = Mask  # type: ignore[attr-defined]


class Mask:
    """A frame's four-byte mask, applied by `websockets` in C."""

    __slots__ = ("_done", "_mask")

    def __init__(self, mask: bytes, length: int | None = None) -> None:
        self._mask = bytes(mask)
        self._done = 0  # bytes

    def pointer(self) -> int:
        """Return how many bytes of the frame are done."""
        return self._done

    def reset(self) -> None:
        """Begin a frame again."""
        self._done = 0

    def process(self, data: bytes) -> bytes:
        """Mask or unmask the next piece of the frame."""
        start = self._done & 3
        self._done += len(data)
        mask = self._mask[start:] + self._mask[:start]
        return frames.apply_mask(data, mask)  # type: ignore[attr-defined]


class LeanWebSocket(WebSocketProtocol):  # type: ignore[misc]
    """Daphne's protocol, with short paths in and out."""

    message_data: list[bytes] | None

    def connectionMade(self) -> None:
        """Leave the UTF-8 check to `onMessageEnd`."""
        super().connectionMade()
        self.utf8validateIncoming = False

    def dataReceived(self, data: bytes) -> None:
        """Read the data, without Autobahn's unused log line."""
        self._dataReceived(data)

    def onMessageEnd(self) -> None:
        """Pass on a whole message, if it is valid."""
        if not self.failedByMe:
            payload = b"".join(self.message_data or ())
            if self.message_is_binary or _is_text(payload):
                self._onMessage(payload, self.message_is_binary)
            else:
                self._invalid_payload("A text message is not UTF-8.")
        self.message_data = None

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: FBT001, FBT002
        """Write a frame to the kernel at once; pass what it does not accept to Twisted.

        Twisted's path takes two more loop iterations for each message.
        """
        taken = self._taken(data)
        if taken < len(data):
            self.transport.write(data[taken:])

    def _taken(self, data: bytes) -> int:
        transport = self.transport
        is_direct = isinstance(transport, Connection) and transport.connected
        if not is_direct or transport.disconnecting or unsent(transport):
            return 0
        taken = transport.writeSomeData(data)
        return taken if isinstance(taken, int) else 0  # an error: the usual path meets it too


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def unsent(transport: Any) -> int:
    """Return the bytes passed to the transport that the kernel has not accepted yet.

    The attributes are Twisted's internals: the tests of `bounded` measure memory over real
    connections, so that an upgrade which renames them is noticed.
    """
    while not hasattr(transport, "dataBuffer"):  # TLS wraps the connection
        transport = transport.transport
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
