"""Cut JSON down to what a browser can show, with numbers and repeated keys as they came. Pure.

A model may answer with fifty megabytes or a thousand levels; the page shows the beginning and
offers the rest as a download.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import islice
from typing import Any

from requests_app.fal.exactjson import Members, Number, parse_exact, write
from requests_app.fal.jsontext import NotJson

PARSE_LIMIT = 8 * 1024 * 1024  # bytes; larger texts are shown unparsed
PAGE_LIMIT = 194 * 1024  # characters of the escaped text, so that a page stays under 300 kB
STRING_LIMIT = 8 * 1024
DATA_URI_LIMIT = 64
MAX_DEPTH = 32
OPEN_ENTRIES, OPEN_LEVELS = 40, 2  # as in jsontree.js


@dataclass(frozen=True)
class Preview:
    """What to show. ``value`` is the whole as `parse_exact` reads it, None when the text is not
    JSON.
    """

    text: str
    is_json: bool
    trimmed: bool
    value: Any = None

    @property
    def tree_lines(self) -> int:
        """Return how many lines jsontree.js will make of it, so that the page keeps their room."""
        return _lines(self.value, 0)


def _lines(value: Any, level: int) -> int:
    """Count like `branch` of jsontree.js: small branches of the first two levels start open."""
    if not isinstance(value, list) or level >= OPEN_LEVELS or len(value) > OPEN_ENTRIES:
        return 1
    children = (child for _, child in value) if isinstance(value, Members) else iter(value)
    return 1 + sum(_lines(child, level + 1) for child in children)


def preview(raw: bytes, *, limit: int = PAGE_LIMIT) -> Preview:
    """Return the text to show for some bytes: indented JSON if they are JSON, else their beginning."""
    if len(raw) <= PARSE_LIMIT:
        try:
            return _of_json(parse_exact(raw.decode("utf-8-sig")), limit)
        except (NotJson, UnicodeDecodeError, RecursionError):
            pass
    text = raw[:limit].decode("utf-8", "replace").replace("\0", "�")
    shown = _beginning(text, limit)
    return Preview(shown, is_json=False, trimmed=len(raw) > limit or len(shown) < len(text))


def preview_typed(text: str, *, limit: int) -> Preview:
    """Return a typed input unchanged where it fits, else cut as by `preview`."""
    shown = preview(text.encode(), limit=limit)
    fits = len(escape(text)) <= limit and "\0" not in text
    return replace(shown, text=text) if fits and not shown.trimmed else shown


def is_text(raw: bytes) -> bool:
    """Whether it is worth showing as text. Model outputs may also be images or archives."""
    head = raw[:4096]
    return b"\0" not in head and head.decode("utf-8", "replace").count("�") < 8


def _of_json(value: Any, limit: int) -> Preview:
    budget = _Budget(limit)
    shown = budget.trim(value, 0)
    text = write(shown)
    # A lone surrogate is legal JSON but not legal UTF-8: show it as the escape it was.
    clean = text.encode("utf-8", "backslashreplace").decode()
    return Preview(clean, is_json=True, trimmed=budget.trimmed, value=value)


def _beginning(text: str, limit: int) -> str:
    while len(escape(text)) > limit:
        text = text[: len(text) * limit // len(escape(text)) - 1]
    return text


class _Budget:
    """The number of characters left on the page, and whether anything was left out."""

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.trimmed = False

    def trim(self, value: Any, depth: int) -> Any:
        """Return a copy that fits; a note marks each place where something was left out."""
        if isinstance(value, Number):
            return self._number(value)
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, Members):
            return self._deeper(value, depth) or Members(self._members(value, depth))
        if isinstance(value, list):
            return self._deeper(value, depth) or list(self._items(value, depth))
        self.left -= len(str(value)) + 1
        return value

    def _number(self, value: Number) -> str:
        if len(value) > STRING_LIMIT:
            return self._string(value)
        self.left -= len(value) + 1
        return value

    def _string(self, value: str) -> str:
        limit = DATA_URI_LIMIT if value.startswith("data:") else STRING_LIMIT
        shown = value[: max(0, min(limit, self.left))]
        if len(shown) < len(value):
            self.trimmed = True
            shown += f"… ({len(value) - len(shown):,} characters more)"
        self.left -= len(escape(json.dumps(shown, ensure_ascii=False)))
        return shown

    def _deeper(self, value: list[Any], depth: int) -> str | None:
        if depth < MAX_DEPTH or not value:
            return None
        self.trimmed = True
        return f"… ({len(value):,} entries deeper than {MAX_DEPTH} levels)"

    def _members(self, value: Members, depth: int) -> Iterator[tuple[str, Any]]:
        for number, (key, child) in enumerate(value):
            if not self._has_room(depth):
                yield "…", f"{len(value) - number:,} entries more"
                return
            yield self._string(key), self.trim(child, depth + 1)

    def _items(self, value: list[Any], depth: int) -> Iterator[Any]:
        for number, child in enumerate(islice(value, len(value))):
            if not self._has_room(depth):
                yield f"… {len(value) - number:,} entries more"
                return
            yield self.trim(child, depth + 1)

    def _has_room(self, depth: int) -> bool:
        # Indentation, comma and line end of this entry, and of the closing line of a branch.
        self.left -= 4 * depth + 10
        if self.left > 0:
            return True
        self.trimmed = True
        return False
