"""What changed between two versions of an endpoint's fields: added, gone, narrowed, else. Pure.

Narrowed means that an input which was valid may be refused now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from requests_app.catalogue.fields import MISSING, Field, walk
from requests_app.catalogue.kinds import Kind

MOST_SHOWN = 5  # choices that a sentence names
LONGEST = 80  # characters of a value in a sentence
_CLOSED = frozenset(
    {Kind.CHOICE, Kind.CHECKBOXES, Kind.CHOICE_OR_OBJECT}
)  # other texts are refused
# Word, name in Bounds, and the direction in which it becomes tighter.
_BOUNDS = (
    ("minimum", "minimum", 1),
    ("least number of items", "min_items", 1),
    ("maximum", "maximum", -1),
    ("longest text", "max_length", -1),
    ("largest number of items", "max_items", -1),
)


class What(StrEnum):
    """The sort of change."""

    ADDED = "added"
    GONE = "gone"
    NARROWED = "narrowed"
    CHANGED = "changed"


@dataclass(frozen=True)
class FieldChange:
    """One change. `path` is a JSON pointer; `*` stands for any item."""

    what: What
    path: str
    sentence: str


def changes(before: Sequence[Field], after: Sequence[Field]) -> list[FieldChange]:
    """Return what a reader of the old form has to know: what breaks first."""
    old, new = _by_path(before), _by_path(after)
    found = [*_gone(old, new), *_added(old, new)]
    for path in old.keys() & new.keys():
        found += _between(old[path], new[path])
    order = [What.GONE, What.NARROWED, What.ADDED, What.CHANGED]
    return sorted(found, key=lambda one: (order.index(one.what), one.path))


def gone(before: Sequence[Field], after: Sequence[Field]) -> set[str]:
    """Return the paths that are no longer there, without what lies inside of them."""
    return _outermost(_by_path(before).keys() - _by_path(after).keys())


def _by_path(fields: Sequence[Field]) -> dict[str, Field]:
    return {field.path: field for field in walk(tuple(fields))}


def _outermost(paths: set[str]) -> set[str]:
    """Leave out what lies inside another of the paths."""
    return {
        path for path in paths
        if not any(path[:at] in paths for at, sign in enumerate(path) if sign == "/" and at)
    }  # fmt: skip


def _gone(old: Mapping[str, Field], new: Mapping[str, Field]) -> Iterator[FieldChange]:
    for path in _outermost(old.keys() - new.keys()):
        yield FieldChange(What.GONE, path, f"was {_kind(old[path])}")


def _added(old: Mapping[str, Field], new: Mapping[str, Field]) -> Iterator[FieldChange]:
    for path in _outermost(new.keys() - old.keys()):
        field = new[path]
        needed = field.required and "*" not in path
        words = f"{_kind(field)}{', required' if field.required else ''}"
        yield FieldChange(What.NARROWED if needed else What.ADDED, path, f"is new: {words}")


def _between(old: Field, new: Field) -> Iterator[FieldChange]:
    for sentence in _narrower(old, new):
        yield FieldChange(What.NARROWED, new.path, sentence)
    for sentence in _otherwise(old, new):
        yield FieldChange(What.CHANGED, new.path, sentence)


def _narrower(old: Field, new: Field) -> Iterator[str]:
    if old.kind != new.kind:
        yield f"was {_kind(old)}, is {_kind(new)}"
    if new.required and not old.required:
        yield "is required now"
    if old.nullable and not new.nullable:
        yield "null is no longer allowed"
    if new.kind in _CLOSED and (lost := _without(old.choices, new.choices)):
        yield f"no longer: {_named(lost)}"
    yield from (words for is_tighter, words in _bounds(old, new) if is_tighter)


def _otherwise(old: Field, new: Field) -> Iterator[str]:
    if old.required and not new.required:
        yield "is no longer required"
    if new.nullable and not old.nullable:
        yield "may be null now"
    if new.kind == old.kind and (more := _without(new.choices, old.choices)):
        yield f"also: {_named(more)}"
    if _differs(old.default, new.default):
        yield f"the default was {_value(old.default)}, is {_value(new.default)}"
    yield from (words for is_tighter, words in _bounds(old, new) if not is_tighter)


def _bounds(old: Field, new: Field) -> Iterator[tuple[bool, str]]:
    """Yield whether a moved bound is tighter now, and the sentence."""
    for word, name, sign in _BOUNDS:
        was, now = getattr(old.bounds, name), getattr(new.bounds, name)
        if was != now:
            is_tighter = now is not None and (was is None or sign * now > sign * was)
            yield is_tighter, _moved(word, was, now)
    if new.bounds.step is not None and new.bounds.step != old.bounds.step:
        yield True, _moved("step", old.bounds.step, new.bounds.step)


def _moved(word: str, was: float | None, now: float | None) -> str:
    return f"{word}: {'none' if was is None else _value(was)} → {'none' if now is None else _value(now)}"


def _without(values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """Compare as JSON, in which 1 and true and "1" differ."""
    known = {_value(other) for other in others}
    return [value for value in values if _value(value) not in known]


def _differs(one: Any, other: Any) -> bool:
    return _json(one) != _json(other)


def _named(values: Sequence[Any]) -> str:
    shown = ", ".join(_value(value) for value in values[:MOST_SHOWN])
    rest = len(values) - MOST_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def _kind(field: Field) -> str:
    return field.kind.value.replace("_", " ")


def _value(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _json(value: Any) -> str:
    return "none" if value is MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)
