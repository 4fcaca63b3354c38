"""Which failures are alike. Pure: endpoint, error type, and the sentence without what differs from run to run.

::

    "Input 'a fox' exceeds 512 tokens (request 0f3a9c21-…)"   "Input <text> exceeds <n> tokens (request <id>)"
    images[3].url: cannot load https://example.com/x.png      images[*].url: cannot load <url>
    422 with field errors                                     prompt: missing; images[*].url: url_parsing
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from requests_app.fal.error_bodies import FieldError
from requests_app.rules.storable import storable_text

LONGEST = 300  # characters of a normalised sentence
LOOKED_AT = 2000  # characters of a sentence; what follows tells no two failures apart
MOST_FIELDS = 5  # of a refused input that are named
MOST_MEMBERS = 8  # of an object or list in JSON
DEEPEST = 3

# What takes the place of what differs, in this order: of two that begin at the same letter, the first.
_KINDS = {
    "kept": r"\b(?:HTTP(?:/[\d.]+)?|status(?:\s+code)?:?|error\s+code:?)\s*\d{3}\b",
    "data": r"\bdata:[\w/+.;=-]{1,100},[A-Za-z0-9+/=_%-]*",
    "url": r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>`]*[^\s\"'<>`.,;:!?)\]]",
    "mail": r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
    "uuid": r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b",
    "moment": r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?Z|[+-]\d\d:?\d\d)?)?",
    "time": r"\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?\b",
    "host": r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b",
    "quoted": (
        r"\"[^\"\n]*\"|`[^`\n]*`|\u201c[^\u201d\n]*\u201d|\u2018[^\u2019\n]*\u2019|\u00ab[^\u00bb\n]*\u00bb"
        r"|(?<!\w)'[^'\n]*'(?!\w)"
    ),
    "path": r"(?<![\w<>/.])(?:[A-Za-z]:)?(?:[\\/][\w.@%+~=-]+){2,}[\\/]?",
    "index": r"\[\d+\]|(?<=[A-Za-z_]\.)\d+(?=\.[A-Za-z_]|:)",
    "hex": r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b",
    "token": r"\b(?=[A-Za-z_-]*\d[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])\w(?:[\w-]{10,})\w\b",
    "size": r"(?<![\w.])\d+(?:\s?[x\u00d7]\s?\d+)+\b",
    "number": r"(?<![A-Za-z_\d])[-+]?\d+(?:[.,_'\u00a0]\d+)*(?:e[+-]?\d+)?",
}
_PLACEHOLDERS = {
    "data": "<url>", "url": "<url>", "mail": "<mail>", "uuid": "<id>", "moment": "<time>", "time": "<time>",
    "host": "<host>", "quoted": "<text>", "path": "<path>", "hex": "<id>", "token": "<id>", "size": "<n>",
    "number": "<n>",
}  # fmt: skip
_DIFFERS = re.compile(
    "|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS.items()), re.IGNORECASE
)
_REPEATED = re.compile(r"(<\w+>)(?:\s*(?:[,|]|and\b|or\b)?\s*\1)+")
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f\u00a0\u200b-\u200f\u2028-\u202e\u2060\ufeff]+")


def normalised(text: str) -> str:
    """Return the sentence with placeholders, one line of at most `LONGEST` characters; empty for an empty one."""
    start = _UNSEEN.sub(" ", text[: LOOKED_AT * 2]).strip()[:LOOKED_AT]
    value = _parsed(start) if start[:1] in ("{", "[") else None
    words = _words_of(value, DEEPEST) if value is not None else start
    words = _REPEATED.sub(r"\1", _DIFFERS.sub(_placeholder, words))
    return _cut(storable_text(words))


def fields_sentence(fields: Iterable[FieldError]) -> str:
    """Name the refused fields and why, without their values; empty when none has a kind of error."""
    told = {f"{_place(field)}: {field.type}" for field in fields if field.type}
    shown = sorted(told)[:MOST_FIELDS]
    more = f"; and {len(told) - len(shown)} more" if len(told) > len(shown) else ""
    return _cut(storable_text(_UNSEEN.sub(" ", "; ".join(shown)))) + more if told else ""


def key_of(team_id: int, endpoint_id: str, error_type: str, sentence: str) -> int:
    """Return the key of the group: a number of 64 bits, the same in every process and for ever."""
    text = "\x1f".join(("1", str(team_id), endpoint_id, error_type, sentence))
    digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def id_of(key: int) -> str:
    """Return the key as addresses and searches have it: sixteen hexadecimal digits."""
    return f"{key & (2**64 - 1):016x}"


_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


def key_in(text: str) -> int | None:
    """Return the key that an id stands for; None when it is none."""
    if not _ID.fullmatch(text.lower()):
        return None
    number = int(text, 16)
    return number - 2**64 if number >= 2**63 else number


def _placeholder(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "index":
        return "[*]" if match[0].startswith("[") else "*"
    return _PLACEHOLDERS.get(kind, match[0])


def _place(field: FieldError) -> str:
    """Write the field's place with a star for the number of an item."""
    place = re.sub(r"\[\d+\]", "[*]", field.place)
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "*", place) or "the whole input"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _words_of(value: Any, depth: int) -> str:
    """Write JSON as words: names and texts stay, so that what they say is compared."""
    if isinstance(value, dict) and depth:
        members = list(value.items())[:MOST_MEMBERS]
        return ", ".join(f"{name}: {_words_of(told, depth - 1)}" for name, told in members)
    if isinstance(value, list) and depth:
        return ", ".join(dict.fromkeys(_words_of(one, depth - 1) for one in value[:MOST_MEMBERS]))
    if isinstance(value, str):
        return value
    return "…" if isinstance(value, dict | list) else json.dumps(value)
