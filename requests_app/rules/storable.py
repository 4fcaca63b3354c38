"""Pure: sanitise values from the wire so that every database stores them and every page shows them.

Raw bytes are stored unchanged elsewhere; what is derived from them (columns, notes, metrics, log lines)
passes through here before it is written::

    NUL, half a surrogate pair       U+FFFD
    a text that is too long          its beginning; inside JSON with a note about the rest
    NaN, Infinity                    its name, as text
    a number of more than 64 bits    its digits, as text
    nesting and numbers of entries   up to a limit, then a note about what is left out
    a number beyond its column       NULL, or the nearest that fits
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models

MAX_DEPTH = 12
MAX_NODES = 1000
MAX_CHARACTERS = 64 * 1024  # all texts of one value together
MAX_STRING = 4000


def storable_text(text: str, most: int | None = None) -> str:
    """Return the first `most` characters, without those that a database refuses."""
    if most is not None and len(text) > most:
        text = text[:most]
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def storable_json(value: Any) -> Any:
    """Return the value cut down to what both databases store and a page shows."""
    return _Copy().of(value, MAX_DEPTH)


def storable_columns(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return each value made fit for the field of its name. Bytes, times and keys stay as they are."""
    return {name: _fitting(model._meta.get_field(name), value) for name, value in values.items()}


def is_storable(model: type[models.Model], **values: Any) -> bool:
    """Return whether the fields take the values unchanged, as an id requires."""
    return storable_columns(model, values) == values


def _fitting(field: Any, value: Any) -> Any:
    if isinstance(field, models.JSONField):
        return storable_json(value)
    if isinstance(field, models.CharField | models.TextField) and isinstance(value, str):
        return storable_text(value, field.max_length)
    if isinstance(field, models.IntegerField) and isinstance(value, int):
        most = 2**63 - 1 if isinstance(field, models.BigIntegerField) else 2**31 - 1
        return value if -most <= value <= most else _nearest(field, value, most)
    if isinstance(field, models.FloatField) and isinstance(value, float):
        return value if math.isfinite(value) else _nearest(field, 0.0, 0.0)
    return value


def _nearest(field: Any, value: Any, most: Any) -> Any:
    return None if field.null else max(-most, min(value, most))


class _Copy:
    """Copies one JSON value within the limits."""

    def __init__(self) -> None:
        self._nodes = MAX_NODES
        self._characters = MAX_CHARACTERS

    def of(self, value: Any, depth: int) -> Any:
        self._nodes -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return value if -(2**63) <= value < 2**64 else self._text(_digits(value))
        if isinstance(value, float):
            return value if abs(value) < 2**64 else _NAMES.get(str(value)) or self._text(str(value))
        if isinstance(value, Mapping):
            return self._nested(value, depth) or dict(self._members(value, depth))
        if isinstance(value, list | tuple):
            return self._nested(value, depth) or list(self._entries(value, depth))
        return f"({type(value).__name__})"

    def _text(self, text: str) -> str:
        most = max(0, min(MAX_STRING, self._characters))
        self._characters -= min(len(text), most)
        kept = storable_text(text, most)
        left_out = len(text) - most
        return kept if left_out <= 0 else f"{kept}… ({left_out:,} characters more)"

    def _nested(self, value: Any, depth: int) -> str:
        return f"({len(value):,} entries, nested too deeply)" if depth <= 0 and value else ""

    def _members(self, value: Mapping[Any, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for number, (name, child) in enumerate(value.items()):
            if self._is_full:
                yield "…", f"({len(value) - number:,} entries more)"
                return
            name = name if isinstance(name, str) else str(self.of(name, 0))
            yield self._text(name), self.of(child, depth - 1)

    def _entries(self, value: list[Any] | tuple[Any, ...], depth: int) -> Iterator[Any]:
        for number, child in enumerate(value):
            if self._is_full:
                yield f"… ({len(value) - number:,} entries more)"
                return
            yield self.of(child, depth - 1)

    @property
    def _is_full(self) -> bool:
        return self._nodes <= 0 or self._characters <= 0


_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # over 4300 digits, which Python refuses to format
        return f"(a number of {number.bit_length():,} bits)"
