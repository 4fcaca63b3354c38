"""The channel layer of the embedded mode: in memory, and thread-safe to send on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from channels.layers import InMemoryChannelLayer

Message = dict[str, Any]


class ThreadSafeInMemoryLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """Channels' in-memory layer, with two differences.

    A sender in another thread wakes the receiver's own event loop at once (the stock layer waits
    for that loop's next timer), and never waits for it, so that a worker can stop after the
    server. A full channel drops its oldest message: a message only says "something changed", so
    the newest one must arrive. The capacity is high, because each message may be about another
    row.
    """

    def __init__(self, capacity: int = 10_000, **options: Any) -> None:
        super().__init__(capacity=capacity, **options)
        self._loops: dict[str, asyncio.AbstractEventLoop] = {}

    async def group_add(self, group: str, channel: str) -> None:
        """Add the channel, whose messages are read on the running loop."""
        self._loops[channel] = asyncio.get_running_loop()
        await super().group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        """Remove the channel, and drop it when this was its last group."""
        await super().group_discard(group, channel)
        if not any(channel in members for members in list(self.groups.values())):
            self._loops.pop(channel, None)
            self.channels.pop(channel, None)

    async def group_send(self, group: str, message: Message) -> None:
        """Send the message to every member, on the loop that member is read on."""
        here = asyncio.get_running_loop()
        for channel in list(self.groups.get(group, ())):
            if self._loops.get(channel) is here:
                self._put(channel, message)
            else:
                self._put_from_afar(channel, message)

    def fan_out(self, messages: Sequence[tuple[str, Message]]) -> None:
        """Send messages to groups from a thread without a loop, without creating one."""
        for group, message in messages:
            for channel in list(self.groups.get(group, ())):
                self._put_from_afar(channel, message)

    def _put_from_afar(self, channel: str, message: Message) -> None:
        loop = self._loops.get(channel)
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._put, channel, message)
        except RuntimeError:  # the reader's loop has been closed
            self._loops.pop(channel, None)

    def _put(self, channel: str, message: Message) -> None:
        if channel not in self._loops:
            return  # it left while the message was on its way
        queue = self.channels.setdefault(channel, asyncio.Queue(maxsize=self.get_capacity(channel)))
        if queue.full():
            queue.get_nowait()
        queue.put_nowait((time.time() + self.expiry, dict(message)))

    def _clean_expired(self) -> None:
        """Do nothing: channels are bounded, and their consumers leave their groups when they end.

        The stock clean-up walks over every channel for every message that is received.
        """
