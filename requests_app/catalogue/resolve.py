"""Resolve a schema: follow references and split unions, ready to become a field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from requests_app.catalogue.document import Document, Schema

MAX_DEPTH = 8  # of nested references and branches
MAX_NAME = 80  # characters of a reference in a sentence
MAX_STEPS = 500  # schemas that one field is made of


@dataclass(frozen=True)
class Resolved:
    """`schema` without `$ref` and single `allOf`. `branches`: the non-null parts of
    `anyOf`/`oneOf`.

    `trail` holds the references followed so far, to stop at a schema that contains itself.
    """

    schema: Schema
    branches: tuple[Resolved, ...] = ()
    nullable: bool = False
    trail: frozenset[str] = frozenset()


class Unresolvable(Exception):
    """A dangling or circular reference, or too deep a nesting; the message says which."""


class _Steps:
    """Counts what one call resolves: alternatives that refer to alternatives multiply."""

    def __init__(self) -> None:
        self._left = MAX_STEPS

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Unresolvable(f"it has more than {MAX_STEPS} alternatives")


def resolve(
    document: Document,
    schema: object,
    trail: frozenset[str] = frozenset(),
    steps: _Steps | None = None,
) -> Resolved:
    """Follow references and merge. Keys beside a `$ref` override the target's. Raises Unresolvable."""
    steps = steps or _Steps()
    steps.take()
    if not isinstance(schema, Mapping):
        return Resolved({}, trail=trail)
    if len(trail) > MAX_DEPTH:
        raise Unresolvable("it is nested too deeply")
    merged, trail = _merged(document, schema, trail)
    union = [part for key in ("anyOf", "oneOf") for part in _list(merged.get(key))]
    if not union:
        return _without_null_type(Resolved(merged, trail=trail))
    own = {key: value for key, value in merged.items() if key not in ("anyOf", "oneOf")}
    branches = tuple(
        resolve(document, branch, trail, steps) for branch in union if not _is_null(branch)
    )
    nullable = len(branches) < len(union) or any(branch.nullable for branch in branches)
    if len(branches) == 1:
        [only] = branches
        whole = {**only.schema, **own}
        return Resolved(whole, only.branches, nullable or only.nullable, trail | only.trail)
    return Resolved(own, branches, nullable, trail)


def _merged(
    document: Document, schema: Schema, trail: frozenset[str]
) -> tuple[dict[str, Any], frozenset[str]]:
    """Follow `$ref` and merge the parts of `allOf`."""
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    base: dict[str, Any] = {}
    parts = [{"$ref": schema["$ref"]}] if "$ref" in schema else []
    for part in [*parts, *_list(schema.get("allOf"))]:
        if isinstance(part, Mapping):
            found, trail = _part(document, part, trail)
            base = _united(base, found)
    return _united(base, own), trail


def _part(
    document: Document, part: Schema, trail: frozenset[str]
) -> tuple[dict[str, Any], frozenset[str]]:
    if "$ref" not in part:
        return _merged(document, part, trail)
    reference = str(part["$ref"])
    if reference in trail:
        raise Unresolvable(f"{_name(reference)} contains itself")
    target = document.follow(reference)
    if target is None:
        raise Unresolvable(f"{_name(reference)} is missing from the schema")
    found, inner = _merged(document, target, trail | {reference})
    return _united(found, {k: v for k, v in part.items() if k != "$ref"}), inner


def _united(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    united = {**base, **more}
    if isinstance(base.get("properties"), Mapping) and isinstance(more.get("properties"), Mapping):
        united["properties"] = {**base["properties"], **more["properties"]}
        united["required"] = [*_list(base.get("required")), *_list(more.get("required"))]
    return united


def _without_null_type(resolved: Resolved) -> Resolved:
    """Treat `type: [string, null]` and an enum that holds null as nullable, as in 3.1."""
    schema = dict(resolved.schema)
    nullable = schema.get("nullable") is True
    if isinstance(kinds := schema.get("type"), list):
        rest = [kind for kind in kinds if kind != "null"]
        nullable = nullable or len(rest) < len(kinds)
        schema["type"] = rest[0] if len(rest) == 1 else rest
    if isinstance(values := schema.get("enum"), list) and None in values:
        schema["enum"] = [value for value in values if value is not None]
        nullable = True
    return replace(resolved, schema=schema, nullable=nullable)


def strings(values: object) -> Iterator[str]:
    """Yield the texts in what should be a list of texts."""
    return (value for value in _list(values) if isinstance(value, str))


def _is_null(branch: object) -> bool:
    return isinstance(branch, Mapping) and branch.get("type") == "null"


def _name(reference: str) -> str:
    return reference.rpartition("/")[2][:MAX_NAME]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
