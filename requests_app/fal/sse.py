"""Server-sent events: bytes in, events out. Pure.

Our own decoder although httpx-sse splits lines correctly: httpx-sse takes text (not bytes cut
anywhere), has no size limit, holds a CR back until the next chunk, passes a byte order mark on,
and makes an event of every empty line once an id was seen.
"""

from __future__ import annotations

import msgspec

_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """One event is larger than the limit; the rest of the stream cannot be parsed."""


class SseEvent(msgspec.Struct, frozen=True):
    """One event. ``name`` is "" and ``event_id`` None when the stream gave none; ``raw_size``
    counts wire bytes; ``is_cut``: the stream ended in the middle of it.
    """

    name: str
    data: str
    event_id: str | None
    raw_size: int
    is_cut: bool = False


class SseDecoder:
    """Feed it chunks cut anywhere; lines end at CR, LF or CRLF only (U+2028 is data)."""

    _id: str | None

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._after_cr = False
        self._at_start = True
        self._reset()

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that ``chunk`` completed. Raises EventTooLarge."""
        events: list[SseEvent] = []
        chunk = self._joined(chunk)
        if not (self._size or self._at_start):
            chunk = chunk[self._take_plain(chunk, events) :]
        for piece in chunk.splitlines(keepends=True):  # at CR, LF and CRLF only
            self._size += len(piece)
            if self._size > self._limit:
                self._line = bytearray()
                self._reset()
                raise EventTooLarge(
                    f"One event of the stream is larger than {self._limit:,} bytes, the most that is "
                    "read here."
                )
            if piece.endswith((b"\n", b"\r")):
                event = self._take(piece)
                if event is not None:
                    events.append(event)
            else:
                self._line += piece
        return events

    def close(self, *, is_broken: bool = False) -> list[SseEvent]:
        """End the stream: an event whose lines are all whole counts, one that ends in a half line
        is cut. After a broken connection (`is_broken`) it is unknown whether more lines were to
        come, so it counts as cut too.

        The standard drops both; but the last event is a model's paid output.
        """
        has_half_line = bool(self._line)
        is_cut = has_half_line or is_broken
        event = self._take(b"") if has_half_line else None
        event = event or self._dispatch(is_cut=is_cut)
        return [event] if event else []

    def _joined(self, chunk: bytes) -> bytes:
        # A CR ends its line at once; the LF of a CRLF cut in two must not end another one.
        if self._after_cr and chunk.startswith(b"\n"):
            self._after_cr = False
            chunk = chunk[1:]
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        return chunk

    def _take_plain(self, chunk: bytes, events: list[SseEvent]) -> int:
        """Take the events of a single data line that the chunk begins with; return where they end.

        A burst is made of them, and is parsed at twice the speed in this way.
        """
        done, end = 0, chunk.find(b"\n\n")
        while end > 0 and chunk.startswith(b"data: ", done):
            line, size = chunk[done + 6 : end], end + 2 - done
            if b"\n" in line or b"\r" in line or size > self._limit:
                break
            data = line.decode("utf-8", "replace")
            events.append(SseEvent("", data, None, size))
            done, end = end + 2, chunk.find(b"\n\n", end + 2)
        return done

    def _take(self, piece: bytes) -> SseEvent | None:
        """Take the rest of a line."""
        line: bytes | bytearray = piece
        if self._line:
            self._line += piece
            line, self._line = self._line, bytearray()
        line = line.rstrip(b"\r\n")
        if self._at_start:
            line, self._at_start = line.removeprefix(_BOM), False
        if not line:
            return self._dispatch()
        self._field(line)
        return None

    def _field(self, line: bytes | bytearray) -> None:
        # A line may be an image of 32 MB: only its text is copied out of it.
        end = line.find(b":")
        end = len(line) if end < 0 else end
        start = end + (2 if line.startswith(b" ", end + 1) else 1)
        field, value = line[:end], str(memoryview(line)[start:], "utf-8", "replace")
        if field == b"data":
            self._data.append(value)
            return
        if field == b"event":
            self._name = value
        elif field == b"id" and "\0" not in value:
            self._id = value
        # A comment (": ping") has an empty field name; it and unknown fields are ignored.
        if not field and not self._has_content:
            self._size = 0

    def _dispatch(self, *, is_cut: bool = False) -> SseEvent | None:
        event = None
        if self._data:
            data = "\n".join(self._data)
            event = SseEvent(self._name, data, self._id, self._size, is_cut)
        self._reset()
        return event

    @property
    def _has_content(self) -> bool:
        return bool(self._data or self._name or self._id is not None)

    def _reset(self) -> None:
        self._name = ""
        self._data: list[str] = []
        self._id = None
        self._size = 0
