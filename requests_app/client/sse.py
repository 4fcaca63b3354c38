"""A decoder of server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event: its name, its id, and its JSON."""

    name: str
    id: str
    data: dict[str, Any]


class Decoder:
    """Takes bytes as they come; an event that was cut off is dropped with the connection."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that the chunk completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r").decode()
            name, _, value = text.partition(":")
            if name:
                self._fields[name] = value.removeprefix(" ")
            elif not text:
                fields, self._fields = self._fields, {}
                if "data" in fields:
                    data = json.loads(fields["data"])
                    yield Event(fields.get("event", "message"), fields.get("id", ""), data)
