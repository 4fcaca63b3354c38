"""An endpoint's input schema as a tree of form fields, in the author's order. Pure.

A field that cannot be resolved (a missing or circular reference, an unknown shape) becomes a JSON
field with a note; the other fields stay.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from requests_app.catalogue.document import Document, Schema
from requests_app.catalogue.kinds import MEDIA, Kind, choices_of, kind_of, media_kind
from requests_app.catalogue.pointer import pointer
from requests_app.catalogue.resolve import Resolved, Unresolvable, resolve, strings

ORDER = "x-fal-order-properties"
ITEM = "*"  # in a path: any index of a list, any key of a map
MAX_FIELDS = 1000  # per document, nested ones included
MAX_CHOICES = 2000  # of one field
MAX_NUMBER = 1e300  # a bound beyond it is none: floats end there
MAX_TEXT = 5000  # characters of a description, hint, default, example
MAX_NAME = 300  # characters of a name or title
MAX_CHOICE_TEXT = 200_000  # characters of all choices of a field
MAX_DEPTH = 6  # fields inside fields; deeper ones are JSON


class _Missing:
    """No default, which differs from a default of null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True)
class Bounds:
    """Bounds of a value; None where the schema sets none. `exclusive_…`: the bound itself is
    excluded.
    """

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    step: float | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True)
class Field:
    """One field. `path` is a JSON pointer (RFC 6901) into the input; `*` stands for any item.

    `fields`: the members of an object. `item`: the item of a list or map. `limits`: fal's `x-fal`
    limits of a file. `note`: why a field is JSON although the schema says more.
    """

    name: str
    path: str
    title: str
    kind: Kind
    help: str = ""
    hint: str = ""
    required: bool = False
    nullable: bool = False
    default: Any = MISSING
    example: Any = MISSING
    choices: tuple[Any, ...] = ()
    bounds: Bounds = Bounds()
    fields: tuple[Field, ...] = ()
    item: Field | None = None
    limits: Mapping[str, Any] | None = None
    important: bool = False
    frozen: bool = False
    hidden: bool = False
    note: str = ""

    @property
    def group(self) -> str:
        """Return `main` (shown at once) or `more` (collapsed)."""
        return "main" if self.required or self.important else "more"

    @property
    def is_media(self) -> bool:
        """Whether its value is the address of a file."""
        return self.kind in MEDIA

    @property
    def is_slider(self) -> bool:
        """Whether a slider makes sense: a number between two bounds."""
        has_both = self.bounds.minimum is not None and self.bounds.maximum is not None
        return self.kind in (Kind.INTEGER, Kind.NUMBER) and has_both


@dataclass(frozen=True)
class InputForm:
    """The fields of an endpoint's input. `left_out`: how many the JSON view alone can set."""

    fields: tuple[Field, ...]
    left_out: int = 0


def input_form(document: Document) -> InputForm:
    """Return the form of the endpoint's input; empty when it takes none or it cannot be read."""
    try:
        resolved = resolve(document, document.input_schema() or {})
    except (Unresolvable, RecursionError):
        return InputForm(())
    fields = _Builder(document).members(resolved, "", 0, MISSING)
    properties = resolved.schema.get("properties")
    count = len(properties) if isinstance(properties, Mapping) else 0
    return InputForm(fields, count - len(fields))


def input_fields(document: Document) -> tuple[Field, ...]:
    """Return the fields of the endpoint's input."""
    return input_form(document).fields


def walk(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Yield every field, nested ones included."""
    for field in fields:
        yield field
        yield from walk(field.fields)
        if field.item is not None:
            yield from walk((field.item,))


class _Builder:
    """Builds fields and counts them. Not thread-safe."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = MAX_FIELDS

    def members(
        self, resolved: Resolved, path: str, depth: int, default: object
    ) -> tuple[Field, ...]:
        """Return the fields of an object. A default of the object overrides those of its members."""
        properties = resolved.schema.get("properties")
        if not isinstance(properties, Mapping):
            return ()
        required = set(strings(resolved.schema.get("required")))
        names = _ordered(resolved.schema, properties, required)
        names = [name for name in names if len(name) <= MAX_NAME]
        if path and len(names) > self._left:
            raise Unresolvable("the schema has too many fields")
        given = default if isinstance(default, Mapping) else {}
        return tuple(
            self.field(
                name, properties[name], path + pointer([name]), depth, resolved.trail,
                required=name in required, default=given.get(name, MISSING),
            )
            for name in names[: 2 * MAX_FIELDS]  # what lies beyond is for the JSON view
        )  # fmt: skip

    def field(
        self,
        name: str,
        schema: object,
        path: str,
        depth: int,
        trail: frozenset[str],
        *,
        required: bool = False,
        default: Any = MISSING,
    ) -> Field:
        """Return one field with its nested ones."""
        self._left -= 1
        try:
            if self._left < 0:
                raise Unresolvable("the schema has too many fields")
            if depth > MAX_DEPTH:
                raise Unresolvable("it is nested too deeply")
            resolved = resolve(self._document, schema, trail)
            return self._known(name, resolved, path, depth, required=required, default=default)
        except (Unresolvable, RecursionError) as error:
            problem = error if isinstance(error, Unresolvable) else "it is nested too deeply"
            own = schema if isinstance(schema, Mapping) else {}
            plain = Resolved({key: value for key, value in own.items() if key != "$ref"})
            note = f"Shown as JSON: {problem}."
            return _field(
                name, plain, path, Kind.JSON, required=required, default=default, note=note
            )

    def _known(
        self,
        name: str,
        resolved: Resolved,
        path: str,
        depth: int,
        *,
        required: bool,
        default: Any,
    ) -> Field:
        kind = kind_of(name, resolved)
        field = _field(name, resolved, path, kind, required=required, default=default)
        match kind:
            case Kind.OBJECT | Kind.COLOR:
                inside = self.members(resolved, path, depth + 1, field.default)
                return _with(field, fields=inside)
            case Kind.CHOICE_OR_OBJECT:
                [branch] = [b for b in resolved.branches if "properties" in b.schema]
                return _with(field, fields=self.members(branch, path, depth + 1, field.default))
            case Kind.LIST | Kind.MAP:
                key = "items" if kind is Kind.LIST else "additionalProperties"
                item = self._item(name, resolved, resolved.schema[key], path, depth)
                return _with(field, item=item)
            case Kind.CHECKBOXES:
                items = resolve(self._document, resolved.schema["items"], resolved.trail)
                return _with(field, choices=_choices(items))
        return field

    def _item(self, name: str, resolved: Resolved, schema: object, path: str, depth: int) -> Field:
        """Return the item of a list. The list's name tells the kind of its addresses: `image_urls`."""
        item = self.field(name, schema, f"{path}/{ITEM}", depth + 1, resolved.trail, required=True)
        media = media_kind(name, resolved.schema) if item.kind is Kind.TEXT else None
        return _with(item, kind=media) if media else item


def _field(
    name: str,
    resolved: Resolved,
    path: str,
    kind: Kind,
    *,
    required: bool,
    default: Any,
    note: str = "",
) -> Field:
    schema = resolved.schema
    hints = schema.get("ui")
    ui: Mapping[str, Any] = hints if isinstance(hints, Mapping) else {}
    limits = schema.get("x-fal")
    default = default if default is not MISSING else schema.get("default", MISSING)
    if fault := _fault(default):
        default, note = MISSING, f"{note} Its default {fault} and is not shown.".strip()
    example = _example(schema)
    has_choices = kind in (Kind.CHOICE, Kind.CHOICE_OR_TEXT, Kind.CHOICE_OR_OBJECT)
    return Field(
        name=name,
        path=path,
        title=_text(schema.get("title"))[:MAX_NAME] or name,
        kind=kind,
        help=inspect.cleandoc(_text(schema.get("description"))).strip(),
        hint=_text(ui.get("hint")),
        required=required,
        nullable=resolved.nullable,
        default=default,
        example=MISSING if _fault(example) else example,
        choices=_choices(resolved) if has_choices else (),
        bounds=_bounds(resolved),
        limits=limits if isinstance(limits, Mapping) and not _fault(limits) else None,
        important=ui.get("important") is True,
        frozen=ui.get("frozen") is True,
        hidden=ui.get("hidden") is True,
        note=note,
    )


def _with(field: Field, **changes: Any) -> Field:
    return Field(**{**field.__dict__, **changes})


def _ordered(schema: Schema, properties: Mapping[str, Any], required: set[str]) -> list[str]:
    """Return the author's order; properties it misses follow, required ones first."""
    named = [name for name in dict.fromkeys(strings(schema.get(ORDER))) if name in properties]
    known = set(named)
    rest = [name for name in properties if name not in known]
    return [*named, *sorted(rest, key=lambda name: name not in required)]


def _choices(resolved: Resolved) -> tuple[Any, ...]:
    choices = choices_of(resolved)
    if len(choices) > MAX_CHOICES:
        raise Unresolvable(f"it has more than {MAX_CHOICES:,} choices")
    if fault := _fault(choices, most=MAX_CHOICE_TEXT):
        raise Unresolvable(f"one of its choices {fault}")
    return choices


def _fault(value: object, most: int = MAX_TEXT) -> str:
    """Say why a page cannot show the value; empty when it can. Looks at no more than `most` characters."""
    waiting, left = [value], most
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            node = [*node.keys(), *node.values()]
        if isinstance(node, list | tuple):
            waiting += node[: left + 1]
        left -= len(node) if isinstance(node, str | list | tuple) else 1
        if isinstance(node, int | float) and not -MAX_NUMBER < node < MAX_NUMBER:
            return "is a number that is too large"
        if left < 0:
            return f"is longer than {most:,} characters"
    return ""


def _bounds(resolved: Resolved) -> Bounds:
    parts = [resolved.schema, *(branch.schema for branch in resolved.branches)]

    def first(key: str) -> float | None:
        found = (_number(part.get(key)) for part in parts)
        return next((value for value in found if value is not None), None)

    def count(key: str) -> int | None:
        value = first(key)
        return None if value is None else int(value)

    above, below = first("exclusiveMinimum"), first("exclusiveMaximum")
    return Bounds(
        minimum=above if above is not None else first("minimum"),
        maximum=below if below is not None else first("maximum"),
        exclusive_minimum=above is not None,
        step=first("multipleOf"),
        max_length=count("maxLength"),
        min_items=count("minItems"),
        max_items=count("maxItems"),
    )


def _example(schema: Schema) -> Any:
    examples = schema.get("examples")
    found = examples if isinstance(examples, list) else [schema.get("example")]
    return next((example for example in found if example is not None), MISSING)


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if -MAX_NUMBER < value < MAX_NUMBER else None  # not NaN, either


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""
