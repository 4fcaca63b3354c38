"""Check each row against the endpoint's schema before anything is stored or sent.

The values of a CSV are texts. Where a string of the input is one variable alone, the text is sent as a text
if the schema takes one there, else as the JSON that it spells (7.50, true, {"width": 512}); an empty one is
left out if the schema wants no text. Without a schema, what spells a number, true, false, null, an object or
a list is sent as that.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from requests_app.batches.sheet import MOST_COLUMNS, MOST_ROWS, BadSheet, Row, RowProblem, Sheet
from requests_app.catalogue.validation import InputProblem, Validator
from requests_app.presets.template import (
    AS_IS,
    AS_JSON,
    LEFT_OUT,
    NoValue,
    Template,
    Whole,
    text_of,
    token_of,
)
from requests_app.request_input import InvalidInput, ensure_shallow, input_text, strict_json

MOST_CHECKED = 128 * 1024 * 1024  # characters: rows times the input, each of which is parsed
MOST_TOLD = 20  # problems that are told; the others are counted
_JSON_BEGINS = frozenset('-0123456789tfn{["')


@dataclass
class Checked:
    """What a sheet holds: compact rows, or problems. `unused`: columns that are no variable."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)  # values, readings
    problems: list[RowProblem] = field(default_factory=list)
    count_of_problems: int = 0
    unused: list[str] = field(default_factory=list)
    is_judged: bool = False  # there was a schema to check against

    def add(self, problem: RowProblem) -> None:
        self.count_of_problems += 1
        if len(self.problems) < MOST_TOLD:
            self.problems.append(problem)


class Unusable(Exception):
    """One value of a row is wrong. `column` may be empty."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def check(sheet: Sheet, template: Template, validator: Validator | None) -> Checked:
    """Check all rows. Raises BadSheet; bad rows are in the answer."""
    checked = Checked(list(sheet.columns), is_judged=validator is not None)
    if sheet.columns:
        _ensure_columns(sheet.columns, template)
    judge = _Judge(template, validator, is_typed=sheet.is_typed)
    places = {name: at for at, name in enumerate(checked.columns)}
    number = 0
    for row in sheet.rows:
        number += 1
        if number > MOST_ROWS:
            raise BadSheet(
                f"There are more than {MOST_ROWS:,} rows, which is the most that is taken."
            )
        if number * template.size > MOST_CHECKED:
            raise BadSheet(
                f"The input is too large for so many rows: {number:,} times {template.size:,} characters. "
                "Make several batches of it."
            )
        _take(row, judge, checked, places)
    if number == 0:
        raise BadSheet("There are no rows.")
    if not sheet.columns and not checked.count_of_problems:
        _ensure_columns(checked.columns, template)
    checked.unused = [name for name in checked.columns if name not in template.names]
    return checked


def _ensure_columns(columns: Sequence[str], template: Template) -> None:
    if not template.names:
        raise BadSheet(
            "The input has no variables: every row would send the same. Write {{name}} in a text."
        )
    missing = [name for name in template.names if name not in columns]
    if missing:
        has = ", ".join(columns[:20])
        raise BadSheet(
            f"There is no column for the variable {', '.join(missing[:20])}. The columns are: {has}."
        )


def _take(row: Row, judge: _Judge, checked: Checked, places: dict[str, int]) -> None:
    try:
        if row.problem:
            raise Unusable(row.column, row.problem)
        for name in [name for name in row.cells if name not in places]:
            if len(places) >= MOST_COLUMNS:
                raise Unusable("", f"With it there are more than {MOST_COLUMNS} columns.")
            places[name] = len(places)
            checked.columns.append(name)
        readings = judge.readings(row.cells)
    except Unusable as wrong:
        checked.add(RowProblem(row.number, wrong.column, str(wrong), row.line))
        return
    if not checked.count_of_problems:
        # Never empty: an empty text means that retention has removed the values.
        values = "\n".join(row.cells.get(name, "") for name in places) or "\n"
        checked.rows.append((values, readings))


class _Judge:
    """Fills in rows and decides how their values are read."""

    def __init__(self, template: Template, validator: Validator | None, *, is_typed: bool) -> None:
        self._template, self._validator, self._is_typed = template, validator, is_typed

    def readings(self, cells: Any) -> str:
        """Return how each whole-string variable of the template is read. Raises Unusable."""
        signs = [AS_IS] * len(self._template.wholes)
        if self._validator is None and not self._is_typed:
            signs = [self._by_looks(whole, cells) for whole in self._template.wholes]
        problems = self._problems(cells, signs)
        if problems and not self._is_typed:
            other = [self._other(whole, cells, problems) for whole in self._template.wholes]
            if other != signs:
                signs, problems = other, self._problems(cells, other)
        if problems:
            self._refuse(problems[0])
        return "".join(signs).rstrip(AS_IS)

    def _by_looks(self, whole: Whole, cells: Any) -> str:
        return AS_JSON if _spells_json(cells[whole.name]) else AS_IS

    def _other(self, whole: Whole, cells: Any, problems: list[InputProblem]) -> str:
        """Read a value otherwise if a problem is there, or in what holds it."""
        if not any(_touches(problem.path, whole.path) for problem in problems):
            return AS_IS
        token = cells[whole.name]
        if text_of(token) == "":
            return LEFT_OUT
        return AS_JSON if _spells_json(token) else AS_IS

    def _problems(self, cells: Any, signs: list[str]) -> list[InputProblem]:
        try:
            text = self._template.fill(cells, "".join(signs))
            value = json.loads(text)
            ensure_shallow(value)
            input_text_size(text)
        except NoValue as error:
            raise Unusable(error.name, str(error)) from None
        except InvalidInput as error:
            raise Unusable("", str(error)) from None
        except (ValueError, RecursionError):  # a number of more than 4300 digits
            raise Unusable("", "A number in it has too many digits.") from None
        return self._validator.problems(value) if self._validator else []

    def _refuse(self, problem: InputProblem) -> None:
        column = self._template.name_at(problem.path) or self._only_name_in(problem.path)
        if column is None and problem.path:
            raise Unusable("", f"The input at {problem.path}: {problem.message}")
        raise Unusable(column or "", problem.message)

    def _only_name_in(self, path: str) -> str | None:
        """The variable inside the value at this pointer, if there is one alone."""
        names = {name for place, name in self._template.uses if place.startswith(f"{path}/")}
        return names.pop() if len(names) == 1 else None


def input_text_size(text: str) -> None:
    """Raise InvalidInput for a text that is too large, before a million of them are stored."""
    if len(text) > 1024 * 1024:
        input_text(text)


def _touches(path: str, place: str) -> bool:
    return path == place or place.startswith(f"{path}/") or path.startswith(f"{place}/")


def _spells_json(token: str) -> bool:
    """Whether a text spells JSON that is no string: a number, true, false, null, an object, a list."""
    text = text_of(token)
    if not text or text[0] not in _JSON_BEGINS or text != text.strip():
        return False
    try:
        return not isinstance(strict_json(text), str)
    except (ValueError, RecursionError):
        return False


def filled(
    columns: Sequence[str], rows: Iterable[tuple[str, str]], template: Template
) -> Iterator[str]:
    """Yield the inputs of stored rows as they are sent."""
    for values, readings in rows:
        yield template.fill(cells(columns, values), readings)


def object_of(columns: Sequence[str], values: str) -> str:
    """Return a stored row's values as the text of a JSON object, digit for digit; null when removed."""
    if not values:
        return "null"
    tokens = cells(columns, values)
    pairs = (f"{token_of(name)}: {token}" for name, token in tokens.items() if token)
    return "{" + ", ".join(pairs) + "}"


def cells(columns: Sequence[str], values: str) -> dict[str, str]:
    """Return a stored row's tokens by column."""
    return dict(zip(columns, values.split("\n"), strict=False))
