"""Choose a field's kind by fal's own widget rules: by type, name and `ui` hint. Pure.

Source: fal's documentation of inputs (the playground's rules) and the documents themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from requests_app.catalogue.resolve import Resolved, strings

SHORT = 80  # characters of an example that counts as a choice, not as a sample text
LONG_TEXT = 200  # a text that may be longer gets several lines


class Kind(StrEnum):
    """The closed list of field kinds; also the API's `kind`."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    INTEGER = "integer"
    NUMBER = "number"
    SEED = "seed"
    BOOLEAN = "boolean"
    CHOICE = "choice"  # one of `choices`, of any scalar type
    CHOICE_OR_TEXT = "choice_or_text"
    CHOICE_OR_OBJECT = "choice_or_object"  # one of `choices`, or an object with `fields`
    CHECKBOXES = "checkboxes"  # a list of some of `choices`
    COLOR = "color"  # an object with r, g and b
    IMAGE = "image"
    MASK = "mask"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL_3D = "model_3d"
    ARCHIVE = "archive"
    FILE = "file"
    OBJECT = "object"
    LIST = "list"
    MAP = "map"  # an object with user-defined keys
    JSON = "json"  # anything without a better widget


MEDIA = frozenset(
    {Kind.IMAGE, Kind.MASK, Kind.VIDEO, Kind.AUDIO, Kind.MODEL_3D, Kind.ARCHIVE, Kind.FILE}
)

# By `ui.field` or `_fal_ui_field`; overrides the name.
_BY_HINT = {
    "textarea": Kind.LONG_TEXT, "image": Kind.IMAGE, "video": Kind.VIDEO, "audio": Kind.AUDIO,
    "file": Kind.FILE, "mask": Kind.MASK, "model": Kind.MODEL_3D, "archive": Kind.ARCHIVE,
    "seed": Kind.SEED, "presets": Kind.CHOICE_OR_TEXT,
}  # fmt: skip

# By name, first match wins; `s?` is the list of the same.
_BY_NAME = [
    (re.compile(r"(^|_)mask(_image)?_urls?(_|$)|^mask(_image)?_urls?$"), Kind.MASK),
    (re.compile(r"image_urls?$"), Kind.IMAGE),
    (re.compile(r"video_urls?$"), Kind.VIDEO),
    (re.compile(r"audio_urls?$"), Kind.AUDIO),
    (re.compile(r"model_urls?$"), Kind.MODEL_3D),
    (re.compile(r"(data|archive|zip)_urls?$"), Kind.ARCHIVE),
    (re.compile(r"(^|_)urls?$"), Kind.FILE),
]


def kind_of(name: str, resolved: Resolved) -> Kind:
    """Return the kind of the field with this name."""
    if resolved.branches:
        return _of_union(name, resolved)
    schema = resolved.schema
    if "enum" in schema or "const" in schema:
        return Kind.CHOICE
    match schema.get("type"):
        case "string":
            return _of_string(name, schema)
        case "integer":
            return Kind.SEED if name.endswith("seed") or _hint(schema) == "seed" else Kind.INTEGER
        case "number":
            return Kind.NUMBER
        case "boolean":
            return Kind.BOOLEAN
        case "array":
            return _of_array(schema)
        case "object":
            return _of_object(schema)
    return _of_object(schema) if "properties" in schema else Kind.JSON


def choices_of(resolved: Resolved) -> tuple[Any, ...]:
    """Return the choices: values of an enum, a constant, or the examples of a free text."""
    found = [value for part in (resolved, *resolved.branches) for value in _values(part.schema)]
    if not found:
        found = [text for text in strings(resolved.schema.get("examples")) if text]
    return tuple(_unique(found))


def media_kind(name: str, schema: Mapping[str, Any]) -> Kind | None:
    """Return the kind of file whose address a text holds; None for any other text."""
    hinted = _BY_HINT.get(_hint(schema))
    if hinted is not None:
        return hinted if hinted in MEDIA else None
    return next((kind for pattern, kind in _BY_NAME if pattern.search(name.lower())), None)


def _of_union(name: str, resolved: Resolved) -> Kind:
    kinds = [kind_of(name, branch) for branch in resolved.branches]
    texts = {Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE_OR_TEXT}
    if set(kinds) == {Kind.CHOICE}:
        return Kind.CHOICE
    if sorted(kinds) == [Kind.CHOICE, Kind.OBJECT]:
        return Kind.CHOICE_OR_OBJECT
    if Kind.CHOICE in kinds and set(kinds) <= texts | {Kind.CHOICE}:
        return Kind.CHOICE_OR_TEXT
    if set(kinds) <= {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    return kinds[0] if len(set(kinds)) == 1 and kinds[0] in texts | MEDIA else Kind.JSON


def _of_string(name: str, schema: Mapping[str, Any]) -> Kind:
    if (media := media_kind(name, schema)) is not None:
        return media
    if (hinted := _BY_HINT.get(_hint(schema))) is not None and hinted is not Kind.SEED:
        return hinted
    longest = schema.get("maxLength")
    if name == "prompt" or name.endswith("_prompt"):
        return Kind.LONG_TEXT
    examples = _unique(strings(schema.get("examples")))
    if len(examples) > 1 and all(0 < len(text) <= SHORT for text in examples):
        return Kind.CHOICE_OR_TEXT
    return Kind.LONG_TEXT if isinstance(longest, int) and longest > LONG_TEXT else Kind.TEXT


def _of_array(schema: Mapping[str, Any]) -> Kind:
    items = schema.get("items")
    if "prefixItems" in schema or not isinstance(items, Mapping) or not items:
        return Kind.JSON
    return Kind.CHECKBOXES if isinstance(items.get("enum"), list) else Kind.LIST


def _of_object(schema: Mapping[str, Any]) -> Kind:
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        return Kind.COLOR if set(properties) == {"r", "g", "b"} else Kind.OBJECT
    more = schema.get("additionalProperties")
    return Kind.MAP if isinstance(more, Mapping) and more else Kind.JSON


def _hint(schema: Mapping[str, Any]) -> str:
    ui = schema.get("ui")
    hint = ui.get("field") if isinstance(ui, Mapping) else None
    return str(hint or schema.get("_fal_ui_field") or "").lower()


def _values(schema: Mapping[str, Any]) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else []


def _unique(values: Iterable[Any]) -> list[Any]:
    """Remove duplicates in order; 1, 1.0 and true differ."""
    seen: dict[tuple[type, str], Any] = {}
    for value in values:
        seen.setdefault((type(value), repr(value)), value)
    return list(seen.values())
