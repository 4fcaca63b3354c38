"""JSON as fal sends it: bytes in, values out, one exception for every malformed text. Pure.

Python's own parser fails in four ways on hostile text (``JSONDecodeError``,
``UnicodeDecodeError``, ``RecursionError`` on deep nesting, ``ValueError`` on numbers over 4300
digits). The last two lose only the value they occur in: a member that is nested too deeply is
``TOO_DEEP``, a number that cannot be parsed is its own text. For the first two, callers get
``NotJson``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

TOO_DEEP = "(nested too deeply to be read here)"
NO_JSON = object()

_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)  # or a string, to skip it
T = TypeVar("T")


def _whole_number(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


_DECODERS = (json.JSONDecoder(), json.JSONDecoder(parse_int=_whole_number))


class NotJson(ValueError):
    """The bytes are not UTF-8 JSON that can be parsed here."""


@dataclass(frozen=True)
class Member:
    """One member of an object: its value, and its text as written."""

    value: Any
    raw: bytes


@dataclass(frozen=True)
class Items:
    """The entries of an array that was checked once; they are parsed again on each iteration.

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
    """Parse a UTF-8 JSON text (a byte order mark is skipped). Raises NotJson."""

    def read(text: str) -> Any:
        start = _skip(text, 0)
        if text[start] == "{":  # one member that is too deep does not cost the others
            return dict(_members(text, _member))
        value, end = _value(text, start)
        if value is TOO_DEEP or _skip(text, end) != len(text):
            raise NotJson("The text is nested too deeply, or something follows its end.")
        return value

    return _read(body, read)


def value_of(body: bytes) -> Any:
    """Like parse_json, but NO_JSON for what cannot be parsed."""
    try:
        return parse_json(body)
    except NotJson:
        return NO_JSON


def parse_object(body: bytes) -> dict[str, Any]:
    """Like parse_json, but requires an object. Raises NotJson."""
    return _read(body, lambda text: dict(_members(text, _member)))


def parse_with_items(body: bytes, name: str) -> dict[str, Any]:
    """Like parse_object, but an array of this name is left as Items. Raises NotJson."""

    def decode(member: str, text: str, at: int) -> tuple[Any, int]:
        return _items(text, at) if member == name and text[at] == "[" else _value(text, at)

    return _read(body, lambda text: dict(_members(text, decode)))


def parse_members(body: bytes) -> dict[str, Member]:
    """Parse a JSON object into members with their raw text. Of repeated names the last one counts.

    Parsing and writing again would change numbers (1.0e5, 30-digit integers) and escapes; the raw
    text is what was signed. Raises NotJson.
    """

    def decode(_: str, text: str, at: int) -> tuple[Member, int]:
        value, end = _value(text, at)
        return Member(value, text[at:end].encode("utf-8")), end

    return _read(body, lambda text: dict(_members(text, decode)))


def raw_items(text: str) -> Iterator[str]:
    """Yield the text of each entry of an array as it is written. Raises NotJson."""
    try:
        at = _expect(text, 0, "[")
        while text[at] != "]":
            _, end = _value(text, at)
            yield text[at:end]
            at = _skip(text, end)
            if text[at] == ",":
                at = _skip(text, at + 1)
            elif text[at] != "]":
                raise NotJson("An entry is not followed by a comma or the end.")
    except (ValueError, IndexError) as exc:
        raise NotJson("The text is not a readable JSON array.") from exc


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


def _member(_: str, text: str, at: int) -> tuple[Any, int]:
    return _value(text, at)


def _items(text: str, at: int) -> tuple[Items, int]:
    entries, count = _entries(text, at), 0
    while True:
        try:
            next(entries)
        except StopIteration as end:
            return Items(text, at, count), end.value
        count += 1


def _entries(text: str, at: int) -> Generator[Any, None, int]:
    """Yield the entries of the array that begins here; return the position after it."""
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
    for decoder in _DECODERS:
        try:
            value: tuple[Any, int] = decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            return TOO_DEEP, _end_of(text, at)
        except ValueError:  # a number of more digits than Python parses
            continue
        return value
    raise NotJson("A value cannot be read.")


def _end_of(text: str, at: int) -> int:
    """Return the position after the array or object that begins here, found by its brackets alone."""
    depth = 0
    for sign in _BRACKET.finditer(text, at):
        if not sign[0].startswith('"'):
            depth += 1 if sign[0] in "[{" else -1
            if depth == 0:
                return sign.end()
    raise NotJson("An array or object has no end.")


def _name(text: str, at: int) -> tuple[str, int]:
    if text[at] != '"':
        raise NotJson("A member starts with its name.")
    name, at = _value(text, at)
    return str(name), at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, sign: str) -> int:
    """Return the position after ``sign`` and the white space around it."""
    at = _skip(text, at)
    if text[at] != sign:
        raise NotJson(f"Expected {sign!r}.")
    return _skip(text, at + 1)
