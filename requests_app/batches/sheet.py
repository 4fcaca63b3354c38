"""Rows of values from a CSV, JSON Lines, a grid or the body of an API call. Pure.

A value is a JSON token (see `presets.template`). What is wrong with a whole file raises `BadSheet`; what is
wrong with a row is in the row, so that all bad rows can be told at once.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import BinaryIO, Protocol

from requests_app.fal.exactjson import compact
from requests_app.fal.jsontext import NotJson, parse_members
from requests_app.presets.template import NAME, token_of
from requests_app.request_input import SPACE, InvalidInput, parse_input

MOST_ROWS = 20_000
MOST_COLUMNS = 200
MOST_BYTES = 16 * 1024 * 1024  # of a file
_COLUMN = re.compile(NAME)
_SEPARATORS = ";\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOK = b"PK\x03\x04"


class BadSheet(ValueError):
    """The file cannot be used at all; the message is a sentence."""


class _Reader(Protocol):
    """What csv.reader returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with a row. `line`: of the file, from 1; None when there is no file."""

    row: int
    column: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        line = f" (line {self.line})" if self.line else ""
        column = f", column {self.column}" if self.column else ""
        return f"Row {self.row}{line}{column}: {self.message}"


@dataclass(frozen=True)
class Row:
    """A row: JSON tokens by column, or a problem."""

    number: int
    cells: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None
    problem: str = ""
    column: str = ""


@dataclass(frozen=True)
class Sheet:
    """Rows to come. `columns`: known before them, empty for JSON Lines. `is_typed`: its values have types."""

    rows: Iterator[Row]
    columns: Sequence[str] = ()
    is_typed: bool = False


def read_csv(file: BinaryIO) -> Sheet:
    """Read a CSV in UTF-8 with a header. The separator is a comma, else a semicolon or tab."""
    text = _lines(file)
    first = next(text, "")
    if not first.strip():
        raise BadSheet("The file is empty." if not first else "The first line has no column names.")
    reader = csv.reader(itertools.chain([first], text), delimiter=_separator(first), strict=True)
    try:
        names = _next(reader)
    except csv.Error as error:
        raise BadSheet(f"The first line: {_csv_sentence(error)}") from None
    return Sheet(_csv_rows(reader, columns := _header(names or [])), columns)


def _separator(first: str) -> str:
    counts = {sign: first.count(sign) for sign in _SEPARATORS}
    likely = max(counts, key=lambda sign: counts[sign])
    return likely if "," not in first and counts[likely] else ","


def _header(names: Sequence[str]) -> list[str]:
    columns = [name.strip() for name in names]
    for number, name in enumerate(columns, 1):
        if not name:
            raise BadSheet(f"Column {number} has no name in the first line.")
        if not _COLUMN.fullmatch(name):
            raise BadSheet(
                f"The column name {name[:80]!r} cannot be a variable: use letters, digits, _ - and ."
            )
        if columns.index(name) != number - 1:
            raise BadSheet(f"The column {name!r} stands twice in the first line.")
    if len(columns) > MOST_COLUMNS:
        raise BadSheet(f"There are {len(columns)} columns; {MOST_COLUMNS} are taken at most.")
    return columns


def _csv_rows(reader: _Reader, columns: Sequence[str]) -> Iterator[Row]:
    number, line = 0, reader.line_num + 1
    while True:
        try:
            cells = _next(reader)
        except csv.Error as error:
            yield Row(number + 1, line=line, problem=_csv_sentence(error))
            return
        if cells is None:
            return
        if cells:
            number += 1
            yield _csv_row(number, line, cells, columns)
        line = reader.line_num + 1


def _csv_row(number: int, line: int, cells: list[str], columns: Sequence[str]) -> Row:
    if len(cells) == len(columns):
        tokens = {name: token_of(cell) for name, cell in zip(columns, cells, strict=True)}
        return Row(number, tokens, line)
    hint = " Put a text that has the separator in quotes." if len(cells) > len(columns) else ""
    problem = (
        f"It has {_count(len(cells), 'value')}, the header {_count(len(columns), 'column')}.{hint}"
    )
    return Row(number, line=line, problem=problem)


def _next(reader: _Reader) -> list[str] | None:
    return next(reader, None)


def _csv_sentence(error: csv.Error) -> str:
    words = str(error)
    if "field larger" in words:
        return f"A value has more than {csv.field_size_limit():,} characters."
    if "unexpected end" in words:
        return "A quoted text that begins here has no end."
    return f"It is not CSV: {words}."


def read_jsonl(file: BinaryIO) -> Sheet:
    """Read JSON Lines: an object a line, its members the values."""
    return Sheet(_jsonl_rows(_lines(file)), is_typed=True)


def _jsonl_rows(lines: Iterable[str]) -> Iterator[Row]:
    number = 0
    for line, text in enumerate(lines, 1):
        if text.strip():
            number += 1
            yield _object_row(number, text, line)


def _object_row(number: int, text: str, line: int | None) -> Row:
    try:
        cells = cells_of(text)
    except InvalidInput as error:
        sentence = (
            str(error).replace("The input", "The row").replace(", line 1, column", ", at character")
        )
        return Row(number, line=line, problem=sentence)
    for name in cells:
        if not _COLUMN.fullmatch(name):
            return Row(
                number, line=line, column=name[:80], problem="The name cannot be a variable."
            )
    return Row(number, cells, line)


def cells_of(text: str) -> dict[str, str]:
    """Return the members of a JSON object as tokens. Raises InvalidInput."""
    text = text.strip(SPACE)
    if not isinstance(parse_input(text), dict):
        raise InvalidInput("Each row must be a JSON object: { … }.")
    try:
        members = parse_members(text.encode())
    except (NotJson, UnicodeEncodeError):
        raise InvalidInput("The row is not readable JSON.") from None
    return {name: compact(member.raw.decode()) for name, member in members.items()}


def rows_of(objects: Iterable[str]) -> Sheet:
    """Rows that are JSON objects already."""
    return Sheet(
        (_object_row(number, text, None) for number, text in enumerate(objects, 1)), is_typed=True
    )


def read_grid(choices: Mapping[str, Sequence[str]], *, is_typed: bool = False) -> Sheet:
    """Every combination of the values, the last variable changing quickest."""
    columns = _header(list(choices))
    for name, values in choices.items():
        if not values:
            raise BadSheet(f"The variable {name} has no values.")
    count = prod(len(values) for values in choices.values())
    if not choices:
        raise BadSheet("The grid has no variables.")
    if count > MOST_ROWS:
        raise BadSheet(f"The grid has {count:,} combinations; {MOST_ROWS:,} are taken at most.")
    size = sum(count // len(values) * sum(map(len, values)) for values in choices.values())
    if size > MOST_BYTES:
        most = MOST_BYTES // 2**20
        raise BadSheet(f"The grid's rows have {size // 2**20} MB together; {most} MB are taken.")
    combinations = itertools.product(*choices.values())
    rows = (
        Row(number, dict(zip(columns, tokens, strict=True)))
        for number, tokens in enumerate(combinations, 1)
    )
    return Sheet(rows, columns, is_typed)


def parse_grid(text: str) -> dict[str, list[str]]:
    """Parse `name: value | value` lines into tokens; `\\|` is a bar in a value. Raises BadSheet."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(text.split("\n"), 1):  # a value may have other line separators
        if not line.strip():
            continue
        name, colon, values = line.partition(":")
        if not colon or not (name := name.strip()):
            raise BadSheet(f"Line {number} of the grid: write it as name: value | value.")
        if name in found:
            raise BadSheet(f"Line {number} of the grid: {name} is given twice.")
        pieces = (part.replace("\\|", "|").strip(SPACE) for part in re.split(r"(?<!\\)\|", values))
        found[name] = [token_of(piece) for piece in pieces if piece]
    return found


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield the file's lines, line ends untouched; a byte order mark is skipped. Raises BadSheet."""
    file.seek(0, io.SEEK_END)
    if file.tell() > MOST_BYTES:
        raise BadSheet(f"The file is larger than {MOST_BYTES // 2**20} MB.")
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    if head == _WORKBOOK:
        raise BadSheet("This is a workbook or a zip, not text. Save the sheet as “CSV UTF-8”.")
    if head.startswith(_UTF16) or b"\0" in head:
        raise BadSheet("The file is UTF-16 or binary. Save it as “CSV UTF-8”.")
    if head.startswith(codecs.BOM_UTF8):
        file.seek(len(codecs.BOM_UTF8))
    return _decoded(file)


def _decoded(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise BadSheet(f"Line {number} is not UTF-8. Save the file as UTF-8 text.") from None


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
