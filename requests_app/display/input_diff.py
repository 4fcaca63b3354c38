"""What several inputs have in common and where they differ, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from requests_app.fal.exactjson import Members, parse_exact, write
from requests_app.fal.jsontext import NotJson
from requests_app.rules.storable import storable_text

LONGEST = 2000  # characters of a value that are shown
MOST_FIELDS = 300


@dataclass(frozen=True)
class Cell:
    """One value; None: it was not sent."""

    text: str | None
    is_cut: bool = False


@dataclass(frozen=True)
class Line:
    """One field of all inputs."""

    name: str
    cells: tuple[Cell, ...]
    differs: bool


def diff_inputs(texts: Sequence[str]) -> list[Line]:
    """Compare the top-level fields of JSON objects: exactly, so that 1.0 and 1 differ."""
    return diff([_fields(text) for text in texts])


def diff(values: Sequence[Mapping[str, str]]) -> list[Line]:
    """Compare texts by name, in the order in which the names first come."""
    names = list(dict.fromkeys(name for each in values for name in each))[:MOST_FIELDS]
    return [_line(name, [each.get(name) for each in values]) for name in names]


def _fields(text: str) -> dict[str, str]:
    try:
        value = parse_exact(text)
    except NotJson:
        return {}
    if not isinstance(value, Members):
        return {}
    return {name: _written(child) for name, child in value}


def _written(value: object) -> str:
    """A text as it reads, in quotes only where it could be taken for something else."""
    return write(value)


def _line(name: str, found: Sequence[str | None]) -> Line:
    return Line(storable_text(name, 200), tuple(map(_cell, found)), differs=len(set(found)) > 1)


def _cell(text: str | None) -> Cell:
    if text is None:
        return Cell(None)
    return Cell(storable_text(text[:LONGEST]), is_cut=len(text) > LONGEST)
