"""Parse error bodies: find the reason, wherever it is and whatever its shape. Pure.

Models, fal's queue, its platform API and proxies each write errors in their own shape: JSON
objects, lists and strings, JSON inside a string, an SSE event, an HTML page, plain text, or a
truncated one of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from typing import Any

from .jsontext import NO_JSON, value_of

MOST_TEXT = 4000  # characters per reason
MOST_FIELDS = 200
MOST_DEPTH = 6  # levels of objects, lists and strings around a reason
_LOOKED_AT = 1024 * 1024  # bytes of a body
_UNREAD = object()

# Members that may hold a reason, the most telling first; then those that hold a single word.
_REASONS = (
    "detail", "details", "message", "msg", "error_message", "errorMessage", "error_description",
    "description", "reason", "failure_reason", "payload_error", "error", "errors", "exception", "cause", "title",
)  # fmt: skip
_MERE_WORDS = ("status", "code", "type", "error_type")
_PLACES = ("loc", "field", "param", "path", "pointer")

_CODE = re.compile(r"status code: ?(\d{3})\b", re.IGNORECASE | re.ASCII)
_WORD = re.compile(r"[A-Za-z][\w.:/-]{0,79}", re.ASCII)
NO_REASON = "fal reported an error and gave no reason."
# RFC 9110 renamed three of them, and Python 3.13 followed; servers send either.
_PHRASES = {status.phrase for status in HTTPStatus} | {
    "Content Too Large", "Request Entity Too Large",
    "Range Not Satisfiable", "Requested Range Not Satisfiable",
    "Unprocessable Content", "Unprocessable Entity",
}  # fmt: skip
_SAYS_NOTHING = re.compile(
    r"(an? )?(unknown |internal |unexpected )?(error|failed|failure|false|null|none)( occurred)?"
    r"|(invalid |bad )?(http )?(status|error)( code)?:? ?\d{3}"
    r"|(http )?\d{3}"
    r"|fal answered with http \d+"
    r"|fal reported an error( and gave no reason)?"
    + "".join(rf"|(\d{{3}} )?{re.escape(phrase)}" for phrase in sorted(_PHRASES)),
    re.IGNORECASE,
)
_PAIR = re.compile(r'"(\w{1,40})"\s*:\s*"((?:[^"\\]|\\.)*)', re.DOTALL)
_EVENT = re.compile(r"^data: ?(.*)$", re.MULTILINE)
_TAG = re.compile(r"<[^<>]*>")
_HEADLINES = ("title", "h1", "h2", "message", "p", "pre", "body")


@dataclass(frozen=True)
class FieldError:
    """One invalid field of the input. fal's echo of the input is dropped: it can be megabytes."""

    loc: tuple[str | int, ...]
    msg: str
    type: str

    @property
    def place(self) -> str:
        """Format the location: ("body", "images", 0, "url") -> images[0].url; empty for the whole
        input.

        The leading "body" is fal's wrapper.
        """
        parts = self.loc[1:] if self.loc[:1] == ("body",) else self.loc
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
        return text.removeprefix(".")

    @property
    def sentence(self) -> str:
        """Say what is wrong, and where: ``prompt: Field required``."""
        return f"{self.place}: {self.msg}" if self.place else self.msg


@dataclass(frozen=True)
class ErrorBody:
    """An error in fal's words: one text, field errors if the input was invalid, a machine-readable
    type.
    """

    detail: str
    fields: tuple[FieldError, ...] = ()
    error_type: str | None = None

    @property
    def has_reason(self) -> bool:
        """Whether the text says more than that there was an error."""
        return not says_nothing(self.detail)


def parse_error(
    status_code: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    wordless: str = "",
    parsed: Any = _UNREAD,
) -> ErrorBody:
    """Return the reason in ``body``; without one, ``wordless`` or a sentence about the code.

    ``parsed``: what ``value_of(body)`` returned, where it is known.
    """
    value = _value_of(body, parsed)
    fields = _fields(value)
    told = "; ".join(error.sentence for error in fields)
    reason = _reason(value) if says_nothing(told) else told
    fallback = f"fal answered with HTTP {status_code}." if status_code else NO_REASON
    return ErrorBody(
        detail=(reason or told or wordless or _odd(value) or fallback)[:MOST_TEXT],
        fields=fields,
        error_type=type_of(value) or _word(headers.get("x-fal-error-type")),
    )


def says_nothing(text: str) -> bool:
    """Whether an error's text names no reason: "Error", "Bad Gateway", "Invalid status code: 422"."""
    return not text.strip() or _SAYS_NOTHING.fullmatch(text.strip().rstrip(".!")) is not None


def code_in(text: str | None) -> int | None:
    """Return the HTTP status in fal's "Invalid status code: 422"."""
    found = _CODE.search(text or "")
    return int(found[1]) if found else None


def text_of(value: object) -> str | None:
    """Write a value as text: a string unchanged, all else as JSON; None stays None."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"


def words_of(value: object) -> str | None:
    """Return the reason in a member that should be a text; None when it is empty."""
    if value is None or isinstance(value, str):
        return value or None
    return _reason(value) or text_of(value)


def type_of(value: object) -> str | None:
    """Return the machine-readable type in a body: its own, else that of the error inside it."""
    if not isinstance(value, Mapping):
        return None
    inner = [_opened(value.get(name)) for name in ("error", "detail")]
    objects = [entry for entry in inner if isinstance(entry, dict)]
    if (told := value.get("error_type")) and isinstance(told, str):
        return told
    candidates = [
        *(entry.get(name) for entry in objects for name in ("error_type", "type", "code")),
        value.get("code"),
    ]
    return next(filter(None, map(_word, candidates)), None)


# --- from bytes to a value ------------------------------------------------------------------------


def _value_of(body: bytes, parsed: Any = _UNREAD) -> Any:
    value = value_of(body) if parsed is _UNREAD else parsed
    if value is NO_JSON:
        return _value_of_text(body[:_LOOKED_AT].decode("utf-8-sig", "replace").strip())
    return _opened(value)


def _opened(value: Any) -> Any:
    """Parse JSON inside a string, one level."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        inner = value_of(value.encode("utf-8", "surrogatepass"))
        return value if inner is NO_JSON else inner
    return value


def _value_of_text(text: str) -> Any:
    """Parse what is not JSON: an SSE event, a page, truncated JSON, or words."""
    if "\0" in text or text.count("\ufffd") > len(text) / 20:
        return None  # bytes of a file
    if text.startswith(("data:", "event:", ":")) and (lines := _EVENT.findall(text)):
        return _value_of("\n".join(lines).encode())
    if text.startswith("<"):
        return _headline(text)
    if text[:1] in ("{", "["):
        return _salvaged(text)
    if text.startswith("Traceback (most recent call last)"):
        return text.splitlines()[-1]
    return text


def _headline(page: str) -> str | None:
    """Return the text of the first element that has one, even of a truncated page."""
    for tag in _HEADLINES:
        if opening := re.search(rf"<{tag}(\s[^<>]*)?>", page, re.IGNORECASE):
            content, *_ = re.split(
                rf"</{tag}", page[opening.end() :], maxsplit=1, flags=re.IGNORECASE
            )
            if words := _plain(content):
                return words
    return None


def _plain(markup: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", markup)).split())


def _salvaged(text: str) -> Any:
    """Read the text members of truncated JSON; of repeated names the first, which is the outermost
    or the first error's.
    """
    members: dict[str, str] = {}
    for name, words in _PAIR.findall(text):
        if name in _REASONS or name in _MERE_WORDS:
            members.setdefault(name, _unescaped(words))
    return members or text[:200]


def _unescaped(words: str) -> str:
    try:
        return str(json.loads(f'"{words}"', strict=False))
    except ValueError:  # truncated inside an escape
        return words


# --- from a value to words ------------------------------------------------------------------------


def _reason(value: Any, depth: int = MOST_DEPTH) -> str:
    """Return the first text that names a reason, else the first text, else a single word."""
    texts = list(_texts(value, depth))
    told = next((text for text in texts if not says_nothing(text)), "")
    return told or (texts[0] if texts else _mere_word(value))


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Yield every text that may be the reason, the most telling first."""
    value = _opened(value)
    if isinstance(value, str):
        if text := value.strip():
            yield text
    elif depth and isinstance(value, dict):
        for name in _REASONS:
            yield from _texts(value.get(name), depth - 1)
    elif depth and isinstance(value, list):
        told = (_reason(entry, depth - 1) for entry in value[:MOST_FIELDS])
        if words := "; ".join(filter(None, told)):
            yield words


def _mere_word(value: Any) -> str:
    members = value if isinstance(value, dict) else {}
    words = (members.get(name) for name in _MERE_WORDS)
    return next((word for word in words if isinstance(word, str) and not says_nothing(word)), "")


def _odd(value: Any) -> str:
    """Write the member that should hold the reason as JSON: better than no text at all."""
    members = value if isinstance(value, dict) else {}
    told = next((members[name] for name in _REASONS if members.get(name)), None)
    return "" if told is None or told is True else text_of(told) or ""


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else None


# --- field errors ---------------------------------------------------------------------------------


def _fields(value: Any) -> tuple[FieldError, ...]:
    """Return the field errors: a list, one object that names a location, or lists by field name."""
    if isinstance(value, dict):
        inner = (_opened(value.get(name)) for name in ("detail", "details", "errors", "error"))
        for told in (*inner, value):
            if fields := _fields_of(told):
                return fields
        return ()
    return _fields_of(value)


def _fields_of(told: Any) -> tuple[FieldError, ...]:
    if isinstance(told, list):
        return tuple(filter(None, map(_field_error, told[:MOST_FIELDS])))
    if not isinstance(told, dict):
        return ()
    if any(told.get(name) for name in _PLACES):
        field = _field_error(told)
        return (field,) if field and field.loc else ()
    if told and all(_is_texts(texts) for texts in told.values()):
        return tuple(
            FieldError((str(name),), "; ".join(texts), "")
            for name, texts in list(told.items())[:MOST_FIELDS]
        )
    return ()


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


def _field_error(entry: Any) -> FieldError | None:
    """Return None for an entry without text."""
    if not isinstance(entry, dict):
        words = _reason(entry)
        return FieldError((), words, "") if words else None
    kind = entry.get("type") or entry.get("code")
    words = _reason({name: told for name, told in entry.items() if name not in _MERE_WORDS})
    kind = kind if isinstance(kind, str) else ""
    return FieldError(_loc(entry), words or kind, kind) if words or kind else None


def _loc(entry: Mapping[str, Any]) -> tuple[str | int, ...]:
    told = next((entry[name] for name in _PLACES if entry.get(name)), ())
    parts = told if isinstance(told, list) else [told] if isinstance(told, str) else []
    return tuple(part if isinstance(part, int) else str(part) for part in parts)
