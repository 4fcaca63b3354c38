"""The socket of a program that holds a session: fal's messages as they came, and fal's own close.

The session itself is the same as a tab's: recorded, its lease renewed, cancelled from its page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from requests_app.fal import Outgoing
from requests_app.fal.realtime_outgoing import MAX_BYTES
from requests_app.lifecycle import Attempt
from requests_app.models import Direction
from requests_app.record.frame import NewFrame
from requests_app.relay.outbox import Outbox
from requests_app.relay.outcome import SessionOutcome
from requests_app.relay.session import NotOpen, RealtimeSession
from requests_app.relay.upstream import OwnCredential

CHECKED_EVERY_S = 4.0  # a revoked key ends its sessions
UNTOLD = 1011  # where fal gave no code that a server may send
MAX_REASON = 123  # bytes, by the protocol
_NO_CODES = frozenset({1004, 1005, 1006, 1015})

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Begin = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]


class _TextMessage(bytes):
    """A text message, in the queue of binary ones."""


class ProgramOutbox(Outbox):
    """What fal says, as it came; `opening` is sent first, when fal has opened the session."""

    def __init__(self, send: Send, opening: Sequence[Message]) -> None:
        super().__init__(self._passed, is_raw=True)
        self._to_program = send
        self._opening = opening
        self.is_open = False

    def put(self, message: Message) -> None:
        """Take the handshake when fal has; the other messages are for tabs."""
        if message["type"] == "open":
            super().put(message)

    def frame(self, frame: NewFrame) -> None:
        """Queue a text message of fal's; binary ones have their own way."""
        if frame.direction == Direction.IN:
            self.raw(_TextMessage(frame.data.encode()))

    async def _passed(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.is_open = True
            for message in self._opening:
                await self._to_program(message)
        elif isinstance(data, _TextMessage):
            await self._to_program({"type": "websocket.send", "text": data.decode()})
        else:
            await self._to_program({"type": "websocket.send", "bytes": data})


@dataclass
class ProgramSocket:
    """An ASGI WebSocket that was not accepted yet. `begin` starts work that outlives the socket."""

    receive: Receive
    send: Send
    begin: Begin

    async def hold(
        self,
        attempt: Attempt,
        opening: Sequence[Message],
        may_stay: Callable[[], Awaitable[bool]],
        own: OwnCredential | None = None,
    ) -> tuple[SessionOutcome, bool]:
        """Run the session to its end; return that, and whether fal had opened it."""
        outbox = ProgramOutbox(self.send, opening)
        session = RealtimeSession(attempt, outbox, own)
        running, sending = self.begin(session.run()), self.begin(outbox.run())
        reading = asyncio.create_task(self._read(session))
        checking = asyncio.create_task(_check(session, may_stay))
        try:
            end: SessionOutcome = await asyncio.shield(running)
            await asyncio.shield(sending)
        finally:
            reading.cancel()
            checking.cancel()
        return end, outbox.is_open

    async def _read(self, session: RealtimeSession) -> None:
        """Pass the program's messages on; a session ends with its program."""
        while (event := await self.receive())["type"] == "websocket.receive":
            data, text = event.get("bytes"), event.get("text") or ""
            if data is None:
                message = Outgoing(text, "json", len(text.encode()))
            else:
                message = Outgoing(data, "msgpack", len(data))
            if message.size > MAX_BYTES:
                session.disconnect(f"The program sent a message of more than {MAX_BYTES:,} bytes.")
                return
            try:
                await session.send(message)
            except NotOpen:
                break
        session.disconnect("The program closed the session.")


async def _check(session: RealtimeSession, may_stay: Callable[[], Awaitable[bool]]) -> None:
    while True:
        await asyncio.sleep(CHECKED_EVERY_S)
        if not await may_stay():
            session.disconnect("The key of the program is no longer valid.")


def closing(end: SessionOutcome) -> Message:
    """Return fal's own end of the session; before it stood this refuses the handshake."""
    code = UNTOLD if end.code is None or end.code in _NO_CODES else end.code
    return closed(code, end.reason)


def closed(code: int, reason: str) -> Message:
    """Return the close with as much of the reason as fits."""
    fits = reason.encode()[:MAX_REASON].decode(errors="ignore")
    return {"type": "websocket.close", "code": code, "reason": fits}
