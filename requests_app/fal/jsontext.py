"""JSON as fal sends it: bytes in, values out, every oddity one exception. Pure.

Python's own parser fails in four ways on hostile text (``JSONDecodeError``, ``UnicodeDecodeError``,
``RecursionError`` on deep nesting, ``ValueError`` on numbers over 4300 digits); callers meet
``NotJson`` alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
T = TypeVar("T")


class NotJson(ValueError):
    """The bytes are not UTF-8 JSON that can be read here."""


@dataclass(frozen=True)
class Member:
    """One member of an object: its value, and the very text it was written as."""

    value: Any
    raw: bytes


@dataclass(frozen=True)
class Items:
    """The entries of an array that was read once; they are made anew whenever they are looked at.

    A long log as Python values would take ten times the memory of its text.
    """

    text: str
    at: int
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        yield from _entries(self.text, self.at)


def parse_json(body: bytes) -> Any:
    """The value of a UTF-8 JSON text (a byte order mark is passed over). Raises NotJson."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        raise NotJson("The text is not readable JSON.") from exc


def parse_object(body: bytes) -> dict[str, Any]:
    """As parse_json, but only an object will do. Raises NotJson."""
    value = parse_json(body)
    if not isinstance(value, dict):
        raise NotJson("The text is JSON, but not an object.")
    return value


def parse_with_items(body: bytes, name: str) -> dict[str, Any]:
    """As parse_object, but an array of this name is left as Items. Raises NotJson."""

    def decode(member: str, text: str, at: int) -> tuple[Any, int]:
        return _items(text, at) if member == name and text[at] == "[" else _value(text, at)

    return _read(body, lambda text: dict(_members(text, decode)))


def parse_members(body: bytes) -> dict[str, Member]:
    """The members of a JSON object, each with its raw text. A name that comes twice: the last one
    counts.

    Parsing and writing again would change numbers (1.0e5, 30-digit integers) and escapes; the raw
    text is what was signed. Raises NotJson.
    """

    def decode(_: str, text: str, at: int) -> tuple[Member, int]:
        value, end = _value(text, at)
        return Member(value, text[at:end].encode("utf-8")), end

    return _read(body, lambda text: dict(_members(text, decode)))


def _read(body: bytes, reader: Callable[[str], T]) -> T:
    try:
        return reader(body.decode("utf-8-sig"))
    except (ValueError, RecursionError, IndexError) as exc:
        raise NotJson("The text is not a readable JSON object.") from exc


def _members(
    text: str, decode: Callable[[str, str, int], tuple[T, int]]
) -> Iterator[tuple[str, T]]:
    at = _expect(text, 0, "{")
    while text[at] != "}":
        name, at = _name(text, at)
        start = _expect(text, at, ":")
        value, at = decode(name, text, start)
        yield name, value
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
            if text[at] != '"':
                raise NotJson("A comma is not followed by a name.")
        elif text[at] != "}":
            raise NotJson("A member is not followed by a comma or the end.")
    if _skip(text, at + 1) != len(text):
        raise NotJson("Something follows the end of the object.")


def _items(text: str, at: int) -> tuple[Items, int]:
    entries, count = _entries(text, at), 0
    while True:
        try:
            next(entries)
        except StopIteration as end:
            return Items(text, at, count), end.value
        count += 1


def _entries(text: str, at: int) -> Generator[Any, None, int]:
    """The entries of the array that begins here; returns the place behind it."""
    at = _expect(text, at, "[")
    while text[at] != "]":
        value, at = _value(text, at)
        yield value
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
            if text[at] == "]":
                raise NotJson("A comma is not followed by an entry.")
        elif text[at] != "]":
            raise NotJson("An entry is not followed by a comma or the end.")
    return at + 1


def _value(text: str, at: int) -> tuple[Any, int]:
    value: tuple[Any, int] = _DECODER.raw_decode(text, at)
    return value


def _name(text: str, at: int) -> tuple[str, int]:
    if text[at] != '"':
        raise NotJson("A member starts with its name.")
    name, at = _DECODER.raw_decode(text, at)
    return str(name), at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, sign: str) -> int:
    """The place after ``sign`` and the white space around it."""
    at = _skip(text, at)
    if text[at] != sign:
        raise NotJson(f"Expected {sign!r}.")
    return _skip(text, at + 1)
