"""Autobahn's socket without what costs time and gives us nothing.

What it did, for each message: two more turns of the loop to send, an event for listeners that nobody
is, a mask and a check of UTF-8 through cffi, which for a message of 20 MB stop the loop for a tenth
of a second.
"""

from __future__ import annotations

from typing import Any

from autobahn.websocket import protocol
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.tcp import Connection
from websockets import frames


def install() -> None:
    """Unmask quickly on every socket of this process."""
    protocol.create_xor_masker = Mask  # type: ignore[attr-defined]


class Mask:
    """A frame's four bytes, applied by `websockets`, which does it in C."""

    __slots__ = ("_done", "_mask")

    def __init__(self, mask: bytes, length: int | None = None) -> None:
        self._mask = bytes(mask)
        self._done = 0  # bytes

    def pointer(self) -> int:
        """How many bytes of the frame have been done."""
        return self._done

    def reset(self) -> None:
        """Begin a frame again."""
        self._done = 0

    def process(self, data: bytes) -> bytes:
        """The next piece of the frame, masked or unmasked."""
        start = self._done & 3
        self._done += len(data)
        mask = self._mask[start:] + self._mask[:start]
        return frames.apply_mask(data, mask)  # type: ignore[attr-defined]


class LeanWebSocket(WebSocketProtocol):  # type: ignore[misc]
    """Daphne's, with short ways in and out."""

    message_data: list[bytes] | None

    def connectionMade(self) -> None:
        """Leave the check of UTF-8 to `onMessageEnd`."""
        super().connectionMade()
        self.utf8validateIncoming = False

    def dataReceived(self, data: bytes) -> None:
        """Read what came, without a line for a log that nobody keeps."""
        self._dataReceived(data)

    def onMessageEnd(self) -> None:
        """Hand a whole message over, if it is one."""
        if not self.failedByMe:
            payload = b"".join(self.message_data or ())
            if self.message_is_binary or _is_text(payload):
                self._onMessage(payload, self.message_is_binary)
            else:
                self._invalid_payload("A text message is not UTF-8.")
        self.message_data = None

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: FBT001, FBT002
        """Hand a frame to the kernel at once; what it does not take goes Twisted's way.

        That way is two more turns of the loop for each message.
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
        return taken if isinstance(taken, int) else 0  # an error: the usual way meets it too


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def unsent(transport: Any) -> int:
    """Bytes handed to the transport that the kernel has not taken yet.

    Its attributes are Twisted's own business: the tests of `bounded` measure memory over real
    connections, so that an upgrade which renames them is noticed.
    """
    while not hasattr(transport, "dataBuffer"):  # TLS wraps the connection
        transport = transport.transport
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
