"""JSON as fal sends it: bytes in, values out, every oddity one exception. Pure.

Python's own parser fails in four ways on hostile text (``JSONDecodeError``, ``UnicodeDecodeError``,
``RecursionError`` on deep nesting, ``ValueError`` on numbers over 4300 digits); callers meet
``NotJson`` alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class NotJson(ValueError):
    """The bytes are not UTF-8 JSON that can be read here."""


@dataclass(frozen=True)
class Member:
    """One member of an object: its value, and the very text it was written as."""

    value: Any
    raw: bytes


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


def parse_members(body: bytes) -> dict[str, Member]:
    """The members of a JSON object, each with its raw text. A name that comes twice: the last one
    counts.

    Parsing and writing again would change numbers (1.0e5, 30-digit integers) and escapes; the raw
    text is what was signed. Raises NotJson.
    """
    try:
        text = body.decode("utf-8-sig")
        return dict(_members(text))
    except (ValueError, RecursionError, IndexError) as exc:
        raise NotJson("The text is not a readable JSON object.") from exc


def _members(text: str) -> Iterator[tuple[str, Member]]:
    at = _expect(text, 0, "{")
    while text[at] != "}":
        name, at = _name(text, at)
        start = _expect(text, at, ":")
        value, at = _DECODER.raw_decode(text, start)
        yield name, Member(value, text[start:at].encode("utf-8"))
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
            if text[at] != '"':
                raise NotJson("A comma is not followed by a name.")
        elif text[at] != "}":
            raise NotJson("A member is not followed by a comma or the end.")
    if _skip(text, at + 1) != len(text):
        raise NotJson("Something follows the end of the object.")


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
