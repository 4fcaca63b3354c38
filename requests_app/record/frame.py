"""One frame of a stream or session: a value on its way to the record, and what a page shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.utils.functional import cached_property

from requests_app.models import Direction, Frame
from requests_app.rules.stream_event import may_tell, read_event

LARGE = 64 * 1024  # characters of a frame's text; the page fetches a longer one on demand
GLIMPSED = 4 * 1024  # characters; a session has thousands of messages a second


class NewFrame(msgspec.Struct, frozen=True, dict=True):
    """One frame on its way to the record. `offset_ms` counts from the start of the call; texts are
    `storable_text`.
    """

    number: int
    offset_ms: float
    data: str
    size: int
    event: str = ""
    event_id: str = ""
    direction: str = Direction.IN
    kind: str = "event"
    raw: bytes | None = None
    pair: int | None = None  # the frame it answers
    rtt_ms: float | None = None
    says: str | None = None

    @property
    def memory(self) -> int:
        """Return roughly how many bytes of memory it takes."""
        return 2 * len(self.data) + len(self.raw or b"") + 600

    @cached_property
    def sketched(self) -> bytes:
        """Return its sketch as JSON, encoded once for all readers."""
        return msgspec.json.encode(_Sketch.of(self))


def memory_of(frames: Iterable[NewFrame]) -> int:
    """Return roughly how many bytes of memory they take."""
    return sum([frame.memory for frame in frames])


class _Sketch(msgspec.Struct):
    number: int
    offset_ms: float
    direction: str
    kind: str
    event: str
    event_id: str
    data: str | None  # None: it is large, and fetched on demand
    size: int
    pair: int | None
    rtt_ms: float | None
    says: str

    @classmethod
    def of(cls, frame: Frame | NewFrame) -> _Sketch:
        return cls(
            frame.number, frame.offset_ms, frame.direction, frame.kind, frame.event, frame.event_id,
            frame.data if len(frame.data) <= LARGE else None,
            frame.size, frame.pair, frame.rtt_ms,
            frame.says if frame.says is not None else _glimpse(frame),
        )  # fmt: skip


def sketch(frame: Frame | NewFrame) -> dict[str, Any]:
    """Return what a page shows of a frame; `data` is None when it is large and fetched on demand."""
    return msgspec.structs.asdict(_Sketch.of(frame))


def _glimpse(frame: Frame | NewFrame) -> str:
    """Read what a message of a session says, or an event recorded before `says` was stored."""
    if frame.direction != Direction.IN or len(frame.data) > GLIMPSED:
        return ""
    if frame.kind != "event" and not may_tell(frame.data):
        return ""
    return read_event(frame.event, frame.data).says


def batch_message(batch: Sequence[NewFrame], **more: str) -> str:
    """Encode a batch as the JSON message for a page."""
    frames = [msgspec.Raw(frame.sketched) for frame in batch]
    content = {"type": "frames", **more, "last": batch[-1].number, "frames": frames}
    return msgspec.json.encode(content).decode()
