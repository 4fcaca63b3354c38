"""JSON for display: number literals and repeated names stay as they were written. Pure.

Python's own parser reads ``7.50`` as 7.5 and keeps the last of two equal names; nothing that is
shown or sent again goes through it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .jsontext import NotJson

# A string, a bracket, a sign, or any other value.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_OPENING = {"}": "{", "]": "["}
INDENT = "  "


class Number(str):
    """A number's literal, such as ``1E2``; also NaN, which some programs write."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """An object: its names and values in order, repeated names included."""

    __slots__ = ()


_decode = json.JSONDecoder(
    parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=Members
).decode


def parse_exact(text: str) -> Any:
    """Parse into Members, lists, strings, Numbers, True, False and None. Raises NotJson."""
    try:
        return _decode(text)
    except (ValueError, RecursionError) as exc:
        raise NotJson("The text is not readable JSON.") from exc


def write(value: Any, level: int = 0) -> str:
    """Write the value of `parse_exact` indented; only white space changes.

    Strings are written readably: their text is kept, not their escapes.
    """
    return "".join(_written(value, level))


def _written(value: Any, level: int) -> Iterator[str]:
    if isinstance(value, Number):
        yield value
    elif isinstance(value, Members):
        entries = [(_quoted(name) + ": ", child) for name, child in value]
        yield from _branch("{}", entries, level)
    elif isinstance(value, list):
        yield from _branch("[]", [("", child) for child in value], level)
    else:
        yield _quoted(value)


def _branch(signs: str, entries: list[tuple[str, Any]], level: int) -> Iterator[str]:
    if not entries:
        yield signs
        return
    line = "\n" + INDENT * (level + 1)
    yield signs[0]
    for number, (name, child) in enumerate(entries):
        yield f"{',' if number else ''}{line}{name}"
        yield from _written(child, level + 1)
    yield f"\n{INDENT * level}{signs[1]}"


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def laid_out(text: str) -> str:
    """Indent a JSON text, keeping its tokens and escapes."""
    parts: list[str] = []
    depth, last = 0, ""
    for match in TOKEN.finditer(text):
        part = match[0]
        closes = part in _OPENING
        depth -= closes
        if last != _OPENING[part] if closes else last in ("{", "[", ","):
            parts.append("\n" + INDENT * depth)
        parts.append(f"{part} " if part == ":" else part)
        depth += part in ("{", "[")
        last = part
    return "".join(parts)


def put_member(text: str, name: str, literal: str) -> str:
    """Set a member of a JSON object to a literal, the last one when it is new; all else stays as typed.

    `text` is the text of one object, without a repeated name.
    """
    tokens = list(TOKEN.finditer(text))
    depth = 0
    for at, token in enumerate(tokens):
        is_name = depth == 1 and tokens[at + 1][0] == ":" if at + 1 < len(tokens) else False
        if is_name and json.loads(token[0]) == name:
            first, last = tokens[at + 2], _last_token(tokens, at + 2)
            return text[: first.start()] + literal + text[last.end() :]
        depth += (token[0] in ("{", "[")) - (token[0] in _OPENING)
    before = tokens[-2]  # of the closing brace
    comma = "" if before[0] == "{" else ", "
    return f"{text[: before.end()]}{comma}{_quoted(name)}: {literal}{text[before.end() :]}"


def _last_token(tokens: list[re.Match[str]], at: int) -> re.Match[str]:
    """Return the token that ends the value which begins at this one."""
    depth = 0
    for token in tokens[at:]:
        depth += (token[0] in ("{", "[")) - (token[0] in _OPENING)
        if depth == 0:
            return token
    return tokens[-1]


def compact(text: str) -> str:
    """Remove the white space between the tokens of a JSON text."""
    return "".join(TOKEN.findall(text))
