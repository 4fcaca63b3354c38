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
    yield from _tighter(old, new)


def _tighter(old: Field, new: Field) -> Iterator[str]:
    a, b = old.bounds, new.bounds
    for word, was, now in (
        ("minimum", a.minimum, b.minimum),
        ("least number of items", a.min_items, b.min_items),
    ):
        if now is not None and (was is None or now > was):
            yield _moved(word, was, now)
    for word, was, now in (
        ("maximum", a.maximum, b.maximum),
        ("longest text", a.max_length, b.max_length),
        ("largest number of items", a.max_items, b.max_items),
    ):
        if now is not None and (was is None or now < was):
            yield _moved(word, was, now)
    if b.step is not None and b.step != a.step:
        yield _moved("step", a.step, b.step)


def _otherwise(old: Field, new: Field) -> Iterator[str]:
    if old.required and not new.required:
        yield "is no longer required"
    if new.nullable and not old.nullable:
        yield "may be null now"
    if new.kind == old.kind and (more := _without(new.choices, old.choices)):
        yield f"also: {_named(more)}"
    if _differs(old.default, new.default):
        yield f"the default was {_value(old.default)}, is {_value(new.default)}"
    yield from _looser(old, new)


def _looser(old: Field, new: Field) -> Iterator[str]:
    a, b = old.bounds, new.bounds
    for word, was, now in (
        ("maximum", a.maximum, b.maximum),
        ("longest text", a.max_length, b.max_length),
        ("largest number of items", a.max_items, b.max_items),
    ):
        if was is not None and (now is None or now > was):
            yield _moved(word, was, now)
    for word, was, now in (
        ("minimum", a.minimum, b.minimum),
        ("least number of items", a.min_items, b.min_items),
    ):
        if was is not None and (now is None or now < was):
            yield _moved(word, was, now)


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
