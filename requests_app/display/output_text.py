"""The text that an output is about, for models that answer in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from requests_app.fal.exactjson import Members, Number
from requests_app.rules.storable import storable_text

# In this order: the name under which most models of words put their answer.
NAMES = ("output", "text", "response", "answer", "caption", "transcription", "result")
FROM_LENGTH = 12  # characters; a shorter one reads as well in the tree
LIMIT = 48 * 1024  # characters of a page
_NO_TEXT = ("http://", "https://", "data:")


@dataclass(frozen=True)
class OutputText:
    """A text and its place in the output; `is_cut`: it is longer."""

    path: str
    text: str
    is_cut: bool


def text_of(value: object) -> OutputText | None:
    """Return the text of a parsed output: itself, or the string under one of the usual names."""
    if isinstance(value, str) and not isinstance(value, Number):
        return _text("output", value)
    if not isinstance(value, Members):
        return None
    strings = {
        name: child
        for name, child in value
        if isinstance(child, str) and not isinstance(child, Number)
    }
    found = (_text(name, strings[name]) for name in NAMES if name in strings)
    return next((text for text in found if text), None)


def _text(path: str, text: str) -> OutputText | None:
    if len(text.strip()) < FROM_LENGTH or text.lower().startswith(_NO_TEXT):
        return None
    return OutputText(path, storable_text(text[:LIMIT]), is_cut=len(text) > LIMIT)
