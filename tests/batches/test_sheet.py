"""Rows of values: what is read, what is refused, and where a fault is said to be."""

from __future__ import annotations

import io

import pytest

from requests_app.batches import sheet
from requests_app.batches.sheet import (
    BadSheet,
    Sheet,
    parse_grid,
    read_csv,
    read_grid,
    read_jsonl,
    rows_of,
)


def csv_of(text: str | bytes) -> Sheet:
    return read_csv(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def jsonl_of(text: str | bytes) -> Sheet:
    return read_jsonl(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b\n1,x\n", [{"a": '"1"', "b": '"x"'}]),
        ("a,b\r\n1,x\r\n2,y", [{"a": '"1"', "b": '"x"'}, {"a": '"2"', "b": '"y"'}]),
        (b"\xef\xbb\xbfa\nx\n", [{"a": '"x"'}]),
        ('a\n"say ""hi"", you"\n', [{"a": '"say \\"hi\\", you"'}]),
        ('a,b\n"two\nlines",2\n', [{"a": '"two\\nlines"', "b": '"2"'}]),
        ("a;b\n1,5;x\n", [{"a": '"1,5"', "b": '"x"'}]),
        ("a\tb\n1\t\n", [{"a": '"1"', "b": '""'}]),
        ("a\n\nx\n\n", [{"a": '"x"'}]),
        (" a , b \n 1 ,2\n", [{"a": '" 1 "', "b": '"2"'}]),
        ("a\n9007199254740993\n", [{"a": '"9007199254740993"'}]),
        ("a\né😀\\n\n", [{"a": '"é😀\\\\n"'}]),
    ],
)
def test_a_csv_is_read_as_texts(text: str | bytes, cells: list[dict[str, str]]):
    rows = list(csv_of(text).rows)
    assert [row.problem for row in rows] == [""] * len(cells)
    assert [dict(row.cells) for row in rows] == cells


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "empty"),
        (b"\n1\n", "no column names"),
        (b"a,,b\n1,2,3\n", "Column 2 has no name"),
        (b"a,b,a\n1,2,3\n", "'a' stands twice"),
        (b"a,b c\n1,2\n", "'b c' cannot be a variable"),
        (b"a\n" + "é".encode("latin-1") + b"\n", "Line 2 is not UTF-8"),
        ("a\nx\n".encode("utf-16"), "UTF-16"),
        ("a\nx\n".encode("utf-16-le"), "UTF-16 or binary"),
        (b"PK\x03\x04abc", "workbook"),
        (b'"a,b\n1,2\n', "The first line: A quoted text that begins here has no end"),
        (b'"a"b,c\n1,2\n', "The first line: It is not CSV"),
        (b"a" * 140_000 + b"\n1\n", "The first line: A value has more than"),
        ((",".join(f"c{n}" for n in range(201)) + "\n").encode(), "201 columns"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_a_sentence(text: bytes, sentence: str):
    with pytest.raises(BadSheet, match=sentence):
        list(csv_of(text).rows)


@pytest.mark.parametrize(
    ("text", "row", "line", "sentence"),
    [
        ("a,b\n1,2\n3\n", 2, 3, "It has 1 value, the header 2 columns."),
        ("a,b\n1,2,3\n", 1, 2, "It has 3 values, the header 2 columns. Put a text"),
        ('a,b\n"x\ny",1\n2\n', 2, 4, "It has 1 value"),
        ('a\nx\n"never ends\n', 2, 3, "no end"),
        ('a\n"x"y\n', 1, 2, "It is not CSV"),
        ("a\n" + "x" * 200_000 + "\n", 1, 2, "more than 131,072 characters"),
    ],
)
def test_a_bad_row_of_a_csv_is_named(text: str, row: int, line: int, sentence: str):
    [bad] = [one for one in csv_of(text).rows if one.problem]
    assert (bad.number, bad.line) == (row, line)
    assert sentence in bad.problem


def test_values_of_json_lines_keep_their_types_and_digits():
    text = '{"seed": 9007199254740993, "p": "a \\u00e9"}\n\n{"size": {"w": 5E2,  "h": 7.50}}\n'
    found = jsonl_of(text)
    assert found.is_typed
    assert [dict(row.cells) for row in found.rows] == [
        {"seed": "9007199254740993", "p": '"a \\u00e9"'},
        {"size": '{"w":5E2,"h":7.50}'},
    ]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"a": }', "at character 7"),
        ('{"a": 1', "Not JSON"),
        ("[1]", "must be a JSON object"),
        ('"text"', "must be a JSON object"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": 1e999}', "not a number that fal can hold"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "nested deeper"),
        ('{"a b": 1}', "cannot be a variable"),
    ],
)
def test_a_bad_line_of_json_lines_is_named(line: str, sentence: str):
    rows = list(jsonl_of('{"a": 1}\n' + line + '\n{"a": 2}\n').rows)
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert (rows[1].number, rows[1].line) == (2, 2)
    assert sentence in rows[1].problem


def test_json_lines_that_are_not_utf8_are_refused():
    with pytest.raises(BadSheet, match="Line 2 is not UTF-8"):
        list(jsonl_of(b'{"a": 1}\n{"a": "\xe9"}\n').rows)


def test_objects_of_a_body_are_rows_without_lines():
    [good, bad] = list(rows_of(['{"a": 1.50}', "7"]).rows)
    assert (dict(good.cells), good.line) == ({"a": "1.50"}, None)
    assert "JSON object" in bad.problem


def test_a_grid_is_every_combination():
    found = read_grid(parse_grid("subject: a cat | a dog\nseed: 1|2"))
    assert [tuple(row.cells.values()) for row in found.rows] == [
        ('"a cat"', '"1"'), ('"a cat"', '"2"'), ('"a dog"', '"1"'), ('"a dog"', '"2"'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: x", {"a": ['"x"']}),
        ("a: x: y | z", {"a": ['"x: y"', '"z"']}),
        ("a: x \\| y | z", {"a": ['"x | y"', '"z"']}),
        ("\na:x|\n\n", {"a": ['"x"']}),
    ],
)
def test_a_grid_is_typed_line_by_line(text: str, found: dict[str, list[str]]):
    assert parse_grid(text) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no variables"),
        ("a", "Line 1 of the grid: write it"),
        (": x", "Line 1 of the grid: write it"),
        ("a: x\na: y", "Line 2 of the grid: a is given twice"),
        ("a:", "a has no values"),
        ("a b: x", "cannot be a variable"),
    ],
)
def test_a_wrong_grid_is_refused_with_a_sentence(text: str, sentence: str):
    with pytest.raises(BadSheet, match=sentence):
        read_grid(parse_grid(text))


def test_a_grid_is_weighed_before_it_is_made():
    heavy = {
        "a": ['"' + "x" * 500_000 + '"', '"y"'],
        **{f"b{n}": ['"x"', '"y"'] for n in range(13)},
    }
    with pytest.raises(BadSheet, match="MB together"):
        read_grid(heavy)


def test_a_value_of_a_grid_keeps_odd_line_separators():
    assert parse_grid("a: one\u2028two | \u00a0x") == {"a": ['"one\u2028two"', '"\u00a0x"']}


def test_a_grid_is_counted_before_it_is_made():
    wide = {name: ['"x"'] * 1000 for name in "abc"}
    with pytest.raises(BadSheet, match="1,000,000,000 combinations"):
        read_grid(wide)


def test_a_large_file_is_refused_unread(monkeypatch):
    monkeypatch.setattr(sheet, "MOST_BYTES", 4)
    with pytest.raises(BadSheet, match="larger than"):
        csv_of("a\nxyz\n")
