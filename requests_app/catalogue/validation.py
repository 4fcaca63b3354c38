"""Check an input against the endpoint's schema: problems in sentences, each with its place. Pure.

`jsonschema-rs` reads fal's documents unchanged as JSON Schema 2020-12. Only dangling references
are replaced (by "anything"); else the rest of such a document could not be checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

from requests_app.catalogue.document import Document
from requests_app.catalogue.pointer import pointer

MAX_PROBLEMS = 100
_UNIONS = ("anyOf", "oneOf", "allOf")
MAX_EXPANDED = 1_000_000  # schemas, each counted as often as it is referred to
MAX_SHOWN = 60  # characters of a wrong value quoted in a sentence
MAX_CHOICES = 8  # of an enum, listed in a sentence


@dataclass(frozen=True)
class InputProblem:
    """`path`: JSON pointer of the invalid value, "" for the whole input. `message`: a sentence."""

    path: str
    message: str


class Validator:
    """Checks inputs of one endpoint. Thread-safe; building one takes about a millisecond."""

    def __init__(self, document: Document) -> None:
        schema = document.input_schema()
        whole = {"allOf": [schema if schema is not None else {}], **_components(document)}
        try:
            _Size(document).ensure_bounded(whole["allOf"])
            usable = _usable(whole, document)
            self._validator: jsonschema_rs.Draft202012Validator | None = (
                jsonschema_rs.Draft202012Validator(usable)
            )
        except (ValueError, RecursionError, jsonschema_rs.ReferencingError):
            self._validator = None  # the schema itself is invalid or endless: only fal can check

    def problems(self, value: object) -> list[InputProblem]:
        """Return what is wrong with the input; empty when it is valid or the schema cannot be used."""
        if self._validator is None:
            return []
        try:
            found = list(islice(self._validator.iter_errors(value), MAX_PROBLEMS))
        except ValueError:  # a number or text that the library cannot hold: fal checks it
            return []
        return list(dict.fromkeys(problem for error in found for problem in _problems(error)))


def _problems(error: Any) -> Iterator[InputProblem]:
    """Yield the problems of one error: for a union, those of its nearest branch."""
    path = tuple(error.instance_path)
    if error.kind.name in ("anyOf", "oneOf") and getattr(error.kind, "context", None):
        branches = [branch for branch in error.kind.context if branch and not _wants_null(branch)]
        nearest = _nearest(branches, error)
        if nearest is not None:
            for inner in nearest:
                yield from _problems(inner)
            return
        yield InputProblem(pointer(path), _neither(branches))
        return
    if error.kind.name == "required":
        yield InputProblem(pointer((*path, error.kind.property)), "This field is required.")
        return
    yield InputProblem(pointer(path), _sentence(error))


def _nearest(branches: list[list[Any]], error: Any) -> list[Any] | None:
    """Return the branch that was meant: the only one, or the one with the right type."""
    if len(branches) == 1:
        return branches[0]
    here = len(error.instance_path)
    inside = [
        branch
        for branch in branches
        if not any(e.kind.name == "type" and len(e.instance_path) == here for e in branch)
    ]
    return inside[0] if len(inside) == 1 else None


def _wants_null(branch: list[Any]) -> bool:
    return any(e.kind.name == "type" and list(e.kind.types) == ["null"] for e in branch)


def _neither(branches: list[list[Any]]) -> str:
    wanted = dict.fromkeys(_sentence(error) for branch in branches for error in branch[:1])
    if f"Must be {_TYPES['number']}." in wanted:
        wanted.pop(f"Must be {_TYPES['integer']}.", None)
    return " Or: ".join(wanted) or "This value does not fit the schema."


def _sentence(error: Any) -> str:
    kind = error.kind
    match kind.name:
        case "type":
            return f"Must be {_types(kind.types)}."
        case "enum":
            return f"Must be one of {_listed(kind.options)}."
        case "const":
            return f"Must be {_shown(kind.value)}."
        case "minimum":
            return f"Must be {_shown(kind.limit)} or more."
        case "maximum":
            return f"Must be {_shown(kind.limit)} or less."
        case "exclusiveMinimum":
            return f"Must be more than {_shown(kind.limit)}."
        case "exclusiveMaximum":
            return f"Must be less than {_shown(kind.limit)}."
        case "multipleOf":
            return f"Must be a multiple of {_shown(kind.value)}."
        case "minLength":
            return f"Must have {_count(kind.limit, 'character')} or more."
        case "maxLength":
            return f"Must have {_count(kind.limit, 'character')} or fewer."
        case "minItems":
            return f"Must have {_count(kind.limit, 'item')} or more."
        case "maxItems":
            return f"Must have {_count(kind.limit, 'item')} or fewer."
        case "pattern":
            return f"Must match {_shown(kind.value)}."
        case "uniqueItems":
            return "Must not hold the same item twice."
        case "additionalProperties" | "unevaluatedProperties":
            return f"The schema does not know {_listed(kind.unexpected)}."
    return f"{error.message[:1].upper()}{error.message[1:300]}."


_TYPES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "an object", "null": "null",
}  # fmt: skip


def _types(names: Iterable[str]) -> str:
    return " or ".join(_TYPES.get(name, name) for name in names)


def _listed(values: Iterable[Any]) -> str:
    shown = [_shown(value) for value in values]
    more = len(shown) - MAX_CHOICES
    return ", ".join(shown[:MAX_CHOICES]) + (f" and {more} more" if more > 0 else "")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _components(document: Document) -> dict[str, Any]:
    """Return what local references may lead to: the document without its paths."""
    return {key: value for key, value in document.root.items() if key in ("components", "$defs")}


class _Size:
    """Counts the schemas that a check may go through: references multiply, and a schema that contains itself
    does so with each level of the input if several alternatives lead back to it.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[str, tuple[int, bool]] = {}

    def ensure_bounded(self, schema: object) -> None:
        """Raise ValueError for too many."""
        if self._of(schema)[0] > MAX_EXPANDED:
            raise ValueError("References multiply.")

    def _of(self, node: Any) -> tuple[int, bool]:
        """Return the count, and whether it leads back to a schema that it lies in."""
        if isinstance(node, list):
            found = self._of_each(node)
        elif isinstance(node, Mapping):
            found = [(1, False), self._of_reference(node.get("$ref"))]
            for key, value in node.items():
                of_value = self._of_each(value if isinstance(value, list) else [value])
                if key in _UNIONS and sum(is_back for _, is_back in of_value) > 1:
                    raise ValueError("Several alternatives lead back to what they lie in.")
                found += of_value
        else:
            return 0, False
        return sum(count for count, _ in found), any(is_back for _, is_back in found)

    def _of_each(self, nodes: list[Any]) -> list[tuple[int, bool]]:
        return [self._of(node) for node in nodes if isinstance(node, Mapping | list)]

    def _of_reference(self, reference: Any) -> tuple[int, bool]:
        if not isinstance(reference, str):
            return 0, False
        if reference not in self._known:
            self._known[reference] = 1, True  # what contains itself is followed once
            self._known[reference] = self._of(self._document.follow(reference))
        return self._known[reference]


def _usable(node: Any, document: Document) -> Any:
    """Return a copy in which dangling references allow anything."""
    if isinstance(node, Mapping):
        lost = "$ref" in node and document.follow(node["$ref"]) is None
        return {
            key: _usable(value, document)
            for key, value in node.items()
            if not (lost and key == "$ref")
        }
    if isinstance(node, list):
        return [_usable(item, document) for item in node]
    return node
