"""JSON cut down to what a browser can carry."""

from __future__ import annotations

import json
from html import escape

import pytest

from requests_app.display.json_preview import (
    MAX_DEPTH,
    PAGE_LIMIT,
    PARSE_LIMIT,
    is_text,
    preview,
    preview_typed,
)
from requests_app.fal.exactjson import Members, Number


def plain(value):
    """An exact value of whole numbers as Python's own parser would read it."""
    if isinstance(value, Members):
        return {name: plain(child) for name, child in value}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return int(value) if isinstance(value, Number) else value


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("7", 1),
        ("{}", 1),
        ('{"a": 1, "b": "x"}', 3),
        ('{"a": {"b": {"c": {"d": 1}}}}', 3),
        ("[[1, 2], [3]]", 6),
        (json.dumps(list(range(41))), 1),
        ("no JSON", 1),
    ],
)
def test_the_lines_of_the_tree_are_known_before_a_script_draws_it(text, lines):
    assert preview(text.encode()).tree_lines == lines


@pytest.mark.parametrize(
    "text",
    [
        '{\n  "a": 7.50,\n  "b": 1E2\n}',
        '{\n  "seed": 9007199254740993,\n  "x": 0.1000000000000000055\n}',
        '{\n  "a": 1,\n  "a": 2\n}',
        '{\n  "a": 1e400,\n  "b": -0.0\n}',
        '{\n  "a": ' + "9" * 5000 + "\n}",
    ],
)
def test_digits_and_repeated_names_are_shown_as_they_came(text):
    shown = preview(text.encode())
    assert (shown.text, shown.is_json, shown.trimmed) == (text, True, False)
    assert preview(text.replace("\n", "").replace("  ", "").encode()).text == text


def test_a_number_of_endless_digits_is_cut_and_said_to_be():
    shown = preview(b"[" + b"9" * 1_000_000 + b"]")
    assert shown.trimmed
    assert "characters more" in shown.text
    json.loads(shown.text)


def test_a_typed_input_is_shown_in_its_own_letters_while_it_fits():
    typed = '{"a" :7.50,\n "b":"\\u00e9"}'
    shown = preview_typed(typed, limit=1000)
    assert (shown.text, shown.is_json, shown.trimmed) == (typed, True, False)
    assert preview_typed('{"a": "' + "x" * 2000 + '"}', limit=1000).trimmed


def test_small_json_is_shown_whole():
    shown = preview(b'{"a": [1, 2.5, true, null, "x"]}')
    assert (shown.is_json, shown.trimmed) == (True, False)
    assert json.loads(shown.text) == {"a": [1, 2.5, True, None, "x"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        ["x" * 50] * 100_000,
        {str(number): number for number in range(100_000)},
        ['"<&' * 1000] * 500,
        [[[0]] * 1000] * 100,
        {"&" * 100_000: "<" * 100_000},
        ["\u2028" * 3000] * 100,
    ],
)
def test_a_large_output_fits_the_page_and_says_that_more_follows(value):
    shown = preview(json.dumps(value).encode())
    assert shown.trimmed
    assert len(escape(shown.text)) <= PAGE_LIMIT * 1.05
    assert "more" in shown.text
    json.loads(shown.text)  # what is left is still JSON
    assert plain(shown.value) == value  # the whole, for those who look for pictures


def test_a_long_inline_picture_is_named_not_printed():
    text = preview(json.dumps({"image": "data:image/png;base64," + "A" * 5000}).encode()).text
    assert len(text) < 200
    assert "characters more" in text


def test_it_stops_at_a_depth():
    raw = b"[" * 40 + b"1" + b"]" * 40
    shown = preview(raw)
    assert shown.trimmed
    assert f"deeper than {MAX_DEPTH} levels" in shown.text
    assert not preview(b"[" * 30 + b"]" * 30).trimmed


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"not json", b'{"a":', b"\xff\xfe"])
def test_what_is_no_readable_json_is_shown_as_text(raw):
    shown = preview(raw)
    assert not shown.is_json
    assert shown.value is None


def test_a_huge_text_is_not_parsed():
    shown = preview(b'["' + b"x" * PARSE_LIMIT + b'"]')
    assert not shown.is_json
    assert shown.trimmed
    assert len(shown.text) <= PAGE_LIMIT


def test_a_text_of_quotes_still_fits_the_page():
    shown = preview(b"'\"<>" * 100_000)
    assert len(escape(shown.text)) <= PAGE_LIMIT
    assert shown.trimmed


def test_a_lone_surrogate_can_be_sent_as_a_page():
    shown = preview(rb'{"a": "\ud800", "b": "\ud83d\ude00"}')
    assert shown.text.encode()
    assert json.loads(shown.text) == {"a": "\ud800", "b": "😀"}


def test_long_numbers_keep_their_digits():
    assert "12345678901234567890123" in preview(b'{"seed": 12345678901234567890123}').text


def test_pictures_and_archives_are_no_text():
    assert is_text('{"a": "ü"}'.encode())
    assert is_text(b"")
    assert not is_text(b"\x89PNG\r\n\x1a\n\x00\x00")
    assert not is_text(bytes(range(128, 256)))
