"""What came of a try to send a message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TryResult(StrEnum):
    """Whether the message arrived, and whether another try makes sense."""

    SENT = "sent"
    NOT_SENT = "not sent"  # certainly: another try may help
    REFUSED = "refused"  # another try cannot help
    UNKNOWN = "unknown"  # it may have arrived


@dataclass(frozen=True)
class TryAnswer:
    """The result, and the channel's words without any part of its address."""

    result: TryResult
    words: str


@dataclass(frozen=True)
class NoticeMessage:
    """What is sent: one line, some lines, a link, and for programs the same as values."""

    title: str
    text: str
    url: str
    values: dict[str, object]
