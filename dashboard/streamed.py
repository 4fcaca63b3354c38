"""A request body that the application gets while it arrives, for paths that pass it on.

Daphne reads a whole body before it makes the application, and puts all of it into memory then. Here the application
is made in mid-body, once that is longer than `FROM`; the client is read no faster than the application takes the pieces.
"""

from __future__ import annotations

import logging
import time
from io import BytesIO
from typing import Any

from daphne.http_protocol import WebRequest

FROM = 1024 * 1024  # bytes; a smaller body is handed over when it is there, which costs less
MOST_WAITING = 16  # pieces of up to 64 kB
LOOK_S = 0.002  # how soon the client may go on
STALLED_S = (
    600.0  # without a piece taken; while nothing is read, a client that leaves is not noticed
)

logger = logging.getLogger(__name__)


class StreamedRequest(WebRequest):  # type: ignore[misc]
    """An HTTP request. `channel.is_streamed`: its body may be streamed."""

    content: Any  # a file
    _is_begun = False  # the application has been made in mid-body
    _is_whole = False
    _held_at: float | None = None  # when the client was stopped
    _held_before_s = 0.0
    _held_count = 0  # pieces, at the last look

    @property
    def held_s(self) -> float:
        """For how long the client was kept from sending."""
        now = 0.0 if self._held_at is None else time.monotonic() - self._held_at
        return self._held_before_s + now

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, or hand it to the application."""
        if self._is_begun:
            self._put(data)
            return
        super().handleContentChunk(data)
        if self.channel.is_streamed and self.content.tell() > FROM:
            self._begin()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Make the application, or tell it of the body's end."""
        if self._is_begun:
            self._is_whole = True
            self._put(b"", has_more=False)
        else:
            super().requestReceived(command, path, version)

    def close_unless_whole(self) -> None:
        """Have the reply that begins now say that the connection ends with it, if the body has not come yet."""
        if self._is_cut:
            self.channel.persistent = False
            self.responseHeaders.setRawHeaders(b"connection", [b"close"])

    def finish(self) -> None:
        """End the reply."""
        if self._is_cut and self.channel is not None:
            self.channel.drop_rest()
        super().finish()

    @property
    def _is_cut(self) -> bool:
        return self._is_begun and not self._is_whole

    def _begin(self) -> None:
        channel: Any = self.channel
        channel._savedTimeOut = channel.setTimeout(None)  # the body has a deadline of its own
        self._is_begun = True
        begun, self.content = self.content, BytesIO()
        super().requestReceived(channel._command, channel._path, channel._version)
        if self.application_queue is not None:
            self.application_queue.get_nowait()  # says that the body is empty
            begun.seek(0)
            self._put(begun.read())
        begun.close()

    def _put(self, data: bytes, *, has_more: bool = True) -> None:
        if self.application_queue is None or self.finished:
            return
        self.application_queue.put_nowait(
            {"type": "http.request", "body": data, "more_body": has_more}
        )
        if self.application_queue.qsize() >= MOST_WAITING and has_more and self._held_at is None:
            self._held_at, self._held_count = time.monotonic(), self.application_queue.qsize()
            self.channel.transport.pauseProducing()
            self.channel.callLater(LOOK_S, self._look)

    def _look(self) -> None:
        """Let the client go on once the application has caught up; end what it never takes."""
        if self._held_at is None or self.finished or self.channel is None:
            return
        count = self.application_queue.qsize()
        if count <= MOST_WAITING // 2:
            self._held_before_s, self._held_at = self.held_s, None
            self.channel.transport.resumeProducing()
            return
        if count < self._held_count:
            self._held_before_s, self._held_at = self.held_s, time.monotonic()
            self._held_count = count
        if time.monotonic() - self._held_at > STALLED_S:
            logger.info("Cut a body of which nothing was taken for %s s.", STALLED_S)
            self.channel.transport.abortConnection()
            return
        self.channel.callLater(LOOK_S, self._look)
