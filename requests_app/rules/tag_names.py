"""Pure: what is a tag's name, and when two are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from requests_app.models.names import fold

LONGEST = 40  # characters of a tag
MOST_TAGS = 20  # of one request
_SPACE = re.compile(r"\s+")
_TAKEN = re.compile(
    r"[\w.:/=+@#&'()-]+"
)  # a comma, a quotation mark and a star mean something in a search


class BadTags(ValueError):
    """These are no tags; the text is a sentence."""


def tag_key(text: str) -> str:
    """Return what is compared: case, width and invisible characters do not matter, spaces become dashes."""
    return _SPACE.sub("-", fold(text))


def tag_name(text: str) -> str:
    """Return a tag as it is kept and shown. Raises BadTags."""
    name = tag_key(text)
    if not name:
        raise BadTags("A tag needs a name.")
    if len(name) > LONGEST:
        raise BadTags(f"A tag has at most {LONGEST} characters: {name[:LONGEST]}…")
    if not _TAKEN.fullmatch(name) or not any(map(str.isalnum, name)) or name.startswith("-"):
        raise BadTags(
            f"{name} is no tag: letters, digits and . : / = + @ # & ' ( ) - _ are taken, "
            "with a letter or digit among them and no dash first."
        )
    return name


def tag_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Return several tags, each once. Raises BadTags."""
    names = tuple(dict.fromkeys(tag_name(text) for text in texts))
    if len(names) > MOST_TAGS:
        raise BadTags(f"A request has at most {MOST_TAGS} tags.")
    return names


def typed_tags(text: str) -> tuple[str, ...]:
    """Return the tags of a text with commas between them. Raises BadTags."""
    return tag_names(part for part in text.split(",") if part.strip())


def pairs_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pairs `key=value` that fal is told as tags, from a request's platform options."""
    text = options.get("tags")
    return tuple(dict.fromkeys(text.split(","))) if isinstance(text, str) and text else ()
