"""The bounded queue of messages for one tab. The session never waits for the tab: beyond a window
of bytes the tab is told of a gap instead.

The tab acknowledges the frames it has shown. Once `WINDOW` bytes are unacknowledged, frames are no
longer pushed; the newest are held, the older ones are in the database. The tab reads the database
from `gap` on and acknowledges that, which closes the gap. Frames that are neither held nor stored,
because the record is full, are `missed`: the tab is told their numbers and does not wait for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from requests_app.models import Direction
from requests_app.record.frame import NewFrame, batch_message

AGAIN_S = 0.2
ECHO_S = 0.05  # how long the tab's own message waits to be sent together with its answer
WINDOW = 1024 * 1024  # unacknowledged bytes, and as many held during a gap

Send = Callable[[str | bytes], Awaitable[None]]
TabMessage = dict[str, Any]


class Outbox:
    """One per tab. All methods but `run` are quick and are called on the same loop.

    `is_raw`: a program that takes fal's binary messages unchanged. They have no number and no
    acknowledgement, so the sender waits instead (`room`).
    """

    def __init__(self, send: Send, *, is_raw: bool = False) -> None:
        self.is_raw = is_raw
        self.record_end = 2**31  # number of the last frame that can be read from the database
        self._send = send
        self._waiting: deque[TabMessage | bytes | NewFrame] = deque()
        self._more = asyncio.Event()
        self._echo: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._is_closing = False
        self._raw_bytes = 0
        self._on_the_way: deque[tuple[int, int]] = deque()  # number, bytes
        self._unacknowledged = 0
        self._last = 0  # number of the newest frame that was pushed
        self._gap: int | None = None  # the frame after which the tab has to read the database
        self._held: deque[NewFrame] = deque()
        self._held_bytes = 0

    def put(self, message: TabMessage) -> None:
        """Queue a message that is not a frame."""
        self._waiting.append(message)
        self._more.set()

    def _put_frame(self, frame: NewFrame) -> None:
        self._waiting.append(frame)
        if frame.direction != Direction.OUT:
            self._more.set()
        elif self._echo is None:
            self._echo = asyncio.get_running_loop().call_later(ECHO_S, self._end_echo)

    def _end_echo(self) -> None:
        self._echo = None
        if self._waiting:  # no answer came within ECHO_S, or it would have been sent with it
            self._more.set()

    def raw(self, data: bytes) -> None:
        """Queue a binary message unchanged, for a program."""
        self._raw_bytes += len(data)
        if self._raw_bytes > WINDOW:
            self._room.clear()
        self._waiting.append(data)
        self._more.set()

    async def room(self) -> None:
        """Wait while a program has not taken what it was sent."""
        await self._room.wait()

    def acknowledged(self, number: int) -> None:
        """Note that the tab has shown the frames up to this one."""
        while self._on_the_way and self._on_the_way[0][0] <= number:
            self._unacknowledged -= self._on_the_way.popleft()[1]
        if self._gap is not None and number >= self._gap:
            self._close_gap(number)

    def frame(self, frame: NewFrame) -> None:
        """Queue a frame as the page shows it, or hold it during a gap."""
        size = len(frame.sketched)
        if self._gap is None and self._unacknowledged + size > WINDOW and self._on_the_way:
            self._open_gap(self._last)
        if self._gap is not None:
            self._hold(frame)
            return
        self._last = frame.number
        self._on_the_way.append((self._last, size))
        self._unacknowledged += size
        self._put_frame(frame)

    def _open_gap(self, after: int) -> None:
        if self._gap not in (None, after):
            return  # the gap has moved on since this call was scheduled
        self._gap = after
        self.put({"type": "gap", "from": after})

    def _hold(self, frame: NewFrame) -> None:
        self._held.append(frame)
        self._held_bytes += len(frame.sketched)
        while self._held_bytes > WINDOW and len(self._held) > 1:
            self._drop()

    def _drop(self) -> None:
        self._held_bytes -= len(self._held.popleft().sketched)

    def _close_gap(self, number: int) -> None:
        """Go on with the held frames if they follow what the tab has; else the tab must read on."""
        while self._held and self._held[0].number <= number:
            self._drop()
        is_behind = bool(self._held) and self._held[0].number > number + 1
        if is_behind and number < self.record_end:
            # Repeated a little later when nothing was found: the database lags behind by a moment.
            delay_s = 0.0 if number > (self._gap or 0) else AGAIN_S
            self._gap = number
            asyncio.get_running_loop().call_later(delay_s, self._open_gap, number)
            return
        self._go_on(number)

    def _go_on(self, number: int) -> None:
        """Push the frames held after this number; those in between are lost and told as `missed`."""
        while self._held and self._held[0].number <= number:
            self._drop()
        held, self._held, self._held_bytes, self._gap = self._held, deque(), 0, None
        if held and held[0].number > number + 1:
            self.put({"type": "missed", "from": number + 1, "to": held[0].number - 1})
        for frame in held:
            self.frame(frame)

    def finish(self, message: TabMessage) -> None:
        """Queue the last message. Frames that are held and not stored go first, for no
        acknowledgement follows.
        """
        if self._gap is not None:
            self._on_the_way.clear()
            self._unacknowledged = 0
            self._go_on(max(self._gap, self.record_end))
        self.put(message)

    def close(self) -> None:
        """Let `run` return once the queue is empty."""
        self._is_closing = True
        self._more.set()

    async def run(self) -> None:
        """Send the queue until it is closed; only this waits for the tab."""
        while self._waiting or not self._is_closing:
            await self._more.wait()
            self._more.clear()
            await self._flush()

    async def _flush(self) -> None:
        while self._waiting:
            first = self._waiting.popleft()
            if isinstance(first, bytes):
                await self._send(first)
                self._raw_bytes -= len(first)
                if self._raw_bytes <= WINDOW:
                    self._room.set()
            elif isinstance(first, NewFrame):
                await self._send(batch_message(self._together(first)))
            else:
                await self._send(msgspec.json.encode(first).decode())

    def _together(self, first: NewFrame) -> list[NewFrame]:
        """Combine frames that wait in a row into one message."""
        together, size = [first], len(first.sketched)
        while self._waiting and size < WINDOW // 4:
            following = self._waiting[0]
            if not isinstance(following, NewFrame):
                break
            self._waiting.popleft()
            together.append(following)
            size += len(following.sketched)
        return together
