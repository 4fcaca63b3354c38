"""Exact JSON in the browser: no digit, escape or repeated name is lost, and errors know their place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from requests_app.fal.exactjson import compact
from requests_app.request_input import InvalidInput, parse_input
from tests.browser.conftest import SITE

pytestmark = pytest.mark.browser

# Number literals that a double changes, or that a parser writes in another way.
NUMBERS = [
    "9007199254740993", "-9007199254740993", "12345678901234567890123", "7.50", "1E2", "1e+02",
    "0.1000000000000000055", "1.0", "-0", "-0.0", "1e400", "5e-400", "0.30000000000000004",
    "100000000000000000000000.0", "18446744073709551615",
]  # fmt: skip
# No white space outside of strings: each is its own minified text.
TEXTS = [
    *[f'{{"a":[{number}],"b":{number}}}' for number in NUMBERS],
    r'{"a":"\u00e9\ud83d\ude00\/\ud800 \u0000\"\\"}',
    '{"a":1,"a":2,"a":{"a":[]}}',
    '{"\u00e9":"日本 \u2028","":"","__proto__":1,"constructor":[]}',
    '[[],{},[[]],[{}],"",0,true,false,null]',
    "[" * 2000 + "]" * 2000,
    '"alone"', "-1.50", "null",
]  # fmt: skip
BROKEN = [
    ('{"a": tru}', 1, 7), ('{"a":1,}', 1, 8), ('{\n  "a": 1\n  "b": 2\n}', 3, 3), ('{"a"', 1, 5),
    ('{"a":[1,2}', 1, 10), ("{'a':1}", 1, 2), ("{} x", 1, 4), ('{"a":"x\ny"}', 1, 8),
    ('{"a":"x', 1, 6), ("[1,]", 1, 4), ("[,1]", 1, 2), ("", 1, 1), ("]", 1, 1), ("[", 1, 2),
    ('{"a":01}', 1, 6), ('{"a":1.}', 1, 6), ('{"a":+1}', 1, 6), ('{"a":NaN}', 1, 6),
    ('{"a":-Infinity}', 1, 6), ('{"a":0x10}', 1, 6), ('{"a":1 2}', 1, 8), ('{"a":nullx}', 1, 6),
    ('{"a":"\\x"}', 1, 7), ('{"a":"\\u12g4"}', 1, 7), ('{"a":"\t"}', 1, 7), ("{1:2}", 1, 2),
    ('{"a"\n:\n\n  ]', 4, 3), ("\ufeff{}", 1, 1), ("{}\u00a0", 1, 3), ('{"a" 1}', 1, 6),
    ("[" * 5000, 1, 5001), ('{"a":1,,"b":2}', 1, 8), ('{:1}', 1, 2),
]  # fmt: skip


def run(page: Page, body: str, argument: Any = None) -> Any:
    """The body's value; it sees the modules' functions and `given`."""
    script = f"""async (given) => {{
      const text = await import("{SITE}/lib/jsontext.js");
      const edit = await import("{SITE}/lib/jsonedit.js");
      const tried = (act) => {{ try {{ return act(); }} catch (error) {{
        return {{ error: error.name, line: error.line, column: error.column }}; }} }};
      return (() => {{ {body} }})();
    }}"""
    return page.evaluate(script, argument)


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:40])
def test_format_changes_white_space_alone(page: Page, text: str) -> None:
    formatted = run(page, "return text.format(given)", f" \n{text}\t")
    assert compact(formatted) == text
    assert run(page, "return text.format(given)", formatted) == formatted


@pytest.mark.parametrize("text", [text for text in TEXTS if not text.startswith("[[[")])
def test_format_lays_out_as_pythons_json_does(page: Page, text: str) -> None:
    # Numbers and names are compared above; here every number is 0 and every name stands once.
    value = json.loads(text, parse_float=lambda _: 0, parse_int=lambda _: 0)
    plain = json.dumps(value, separators=(",", ":"))
    assert run(page, "return text.format(given)", plain) == json.dumps(value, indent=2)


@pytest.mark.parametrize(("text", "line", "column"), BROKEN)
def test_what_is_no_json_is_an_error_at_its_place(
    page: Page, text: str, line: int, column: int
) -> None:
    error = {"error": "JsonError", "line": line, "column": column}
    for act in ("parse", "format"):
        assert run(page, f"return tried(() => text.{act}(given))", text) == error


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:40])
def test_every_node_knows_its_place_and_the_literal_it_was(page: Page, text: str) -> None:
    spaced = f"  {text} "
    wrong = run(
        page,
        """const wrong = [];
        const walk = (node) => {
          const mine = given.slice(node.start, node.end);
          if (node.raw !== undefined && node.raw !== mine) wrong.push([node.raw, mine]);
          if (node.type === "object" && !(mine.startsWith("{") && mine.endsWith("}"))) wrong.push(mine);
          if (node.type === "array" && !(mine.startsWith("[") && mine.endsWith("]"))) wrong.push(mine);
          for (const { key, keyStart, keyEnd } of node.members ?? [])
            if (JSON.parse(given.slice(keyStart, keyEnd)) !== key) wrong.push(key);
          if (node.type === "string" && JSON.parse(mine) !== node.value) wrong.push(mine);
          for (const child of node.items ?? node.members?.map(({ value }) => value) ?? []) walk(child);
        };
        walk(text.parse(given));
        return wrong;""",
        spaced,
    )
    assert wrong == []


def test_a_plain_value_is_what_json_parse_says(page: Page) -> None:
    texts = [text for text in TEXTS if not text.startswith("[[[")]
    differ = run(
        page,
        """return given.filter((one) =>
          JSON.stringify(text.plainOf(one)) !== JSON.stringify(JSON.parse(one)))""",
        texts,
    )
    assert differ == []
    assert run(page, "return text.plainOf(given) === undefined", "{") is True
    assert run(page, "return ({}).polluted", None) is None


@pytest.mark.slow
def test_a_text_of_megabytes_and_any_depth_is_read(page: Page) -> None:
    assert run(
        page,
        """const long = "x\\\\n".repeat(2_000_000);
        const node = text.parse(`{"a":"${long}","b":${"9".repeat(1_000_000)}}`);
        const deep = "[".repeat(200_000) + "]".repeat(200_000);
        return [node.members[0].value.value.length, node.members[1].value.raw.length,
          text.format(deep, "").replaceAll("\\n", "") === deep, text.plainOf(deep) !== undefined];""",
    ) == [4_000_000, 1_000_000, True, True]


# --- what the server would refuse ---------------------------------------------------------------

JUDGED = [
    "", " \n", "{}", '{"a": 7.50}', '{"a": 9007199254740993}', "[1]", "null", '{"a": 1, "a": 2}',
    '{"a": [{"b": 1, "c": {"b": 1}}, {"b": 1, "b": 2}]}', '{"a": {"b": 1}, "b": 1}',
    '{"\\u0061": 1, "a": 2}', *[text for text, _, _ in BROKEN if text],
]  # fmt: skip


@pytest.mark.parametrize("text", JUDGED, ids=lambda text: text[:40])
def test_the_page_takes_what_the_server_takes(page: Page, text: str) -> None:
    try:
        is_taken = isinstance(parse_input(text), dict)
    except InvalidInput:
        is_taken = False
    assert (run(page, "return text.problemOf(given)", text) is None) is is_taken


@pytest.mark.parametrize(
    ("text", "column"), [('{"a": 1, "a": 2}', 10), ('{"a": [{"b": 1, "b": 2}]}', 17)]
)
def test_a_repeated_name_is_shown_where_it_stands_again(page: Page, text: str, column: int) -> None:
    problem = run(page, "return text.problemOf(given)", text)
    assert "twice" in problem["message"]
    assert (problem["line"], problem["column"]) == (1, column)


# --- one place of a text ------------------------------------------------------------------------

LAID_OUT = '{\n  "a": 7.50,\n  "b": {"c": [1E2, 2]},\n  "d": []\n}'


@pytest.mark.parametrize(
    ("text", "pointer", "found"),
    [
        (LAID_OUT, "/a", "7.50"),
        (LAID_OUT, "/b", '{"c": [1E2, 2]}'),
        (LAID_OUT, "/b/c/0", "1E2"),
        (LAID_OUT, "", LAID_OUT),
        (LAID_OUT, "/x", None),
        (LAID_OUT, "/a/x", None),
        (LAID_OUT, "/b/c/2", None),
        (LAID_OUT, "/b/c/00", None),
        (LAID_OUT, "/b/c/-", None),
        ('{"a/b": {"~c": 1}, "": 2}', "/a~1b/~0c", "1"),
        ('{"a/b": {"~c": 1}, "": 2}', "/", "2"),
        ('{"a": 1, "a": 2}', "/a", "2"),
        ('{"a": 1}', "/__proto__", None),
    ],
)
def test_the_text_at_a_pointer(page: Page, text: str, pointer: str, found: str | None) -> None:
    there = run(
        page,
        """const node = edit.find(text.parse(given[0]), given[1]);
        return node ? given[0].slice(node.start, node.end) : null;""",
        [text, pointer],
    )
    assert there == found


@pytest.mark.parametrize(
    ("text", "pointer", "value", "after"),
    [
        ('{"a": 7.50, "b": 1E2}', "/b", "2E2", '{"a": 7.50, "b": 2E2}'),
        ('{"a":1,"b":2}', "/c", "3", '{"a":1,"b":2,"c":3}'),
        ('{"a": 1, "b": 2}', "/c", "3", '{"a": 1, "b": 2, "c": 3}'),
        ('{"a": 1}', "/c", "3", '{"a": 1, "c": 3}'),
        ('{\n  "a": 1\n}', "/c", "3", '{\n  "a": 1,\n  "c": 3\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "/c", "3", '{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}'),
        ("{}", "/a", "1", '{\n  "a": 1\n}'),
        ("", "/a", "1", '{\n  "a": 1\n}'),
        (" \n", "/a", "9007199254740993", '{\n  "a": 9007199254740993\n}'),
        ('{\n  "a": {}\n}', "/a/b", "1", '{\n  "a": {\n    "b": 1\n  }\n}'),
        ('{"a": {}}', "/a/b", "1", '{"a": {"b": 1}}'),
        ('{"a": [1, 2]}', "/a/-", "3", '{"a": [1, 2, 3]}'),
        ('{"a": [1, 2]}', "/a/2", "3", '{"a": [1, 2, 3]}'),
        ('{"a": [1, 2]}', "/a/0", "[]", '{"a": [[], 2]}'),
        ('{"a": []}', "/a/0", "3", '{"a": [3]}'),
        ('{"a": 1, "b": 2}', "/c/d/e", "3", '{"a": 1, "b": 2, "c": {"d": {"e": 3}}}'),
        ('{"a": 1, "a": 2}', "/a", "3", '{"a": 1, "a": 3}'),
        ('{"a": 1}', "", "[2]", "[2]"),
        ('{"é\\u0041": 1 ,"b":  2}', "/b", '"ü"', '{"é\\u0041": 1 ,"b":  "ü"}'),
    ],
)
def test_setting_a_place_leaves_the_rest_as_it_was_typed(
    page: Page, text: str, pointer: str, value: str, after: str
) -> None:
    made = run(page, "return edit.setAt(...given)", [text, pointer, value])
    assert made == after
    json.loads(made)


@pytest.mark.parametrize(
    ("text", "pointer", "value", "error"),
    [
        ('{"a": [1]}', "/a/2", "3", "RangeError"),
        ('{"a": [1]}', "/a/x", "3", "RangeError"),
        ('{"a": 1}', "/a/b", "3", "RangeError"),
        ('{"a": 1}', "a", "3", "RangeError"),
        ('{"a": 1}', "/a", "{", "JsonError"),
        ('{"a": 1', "/a", "2", "JsonError"),
    ],
)
def test_a_place_or_value_that_cannot_be_is_an_error(
    page: Page, text: str, pointer: str, value: str, error: str
) -> None:
    given = [text, pointer, value]
    assert run(page, "return tried(() => edit.setAt(...given))", given)["error"] == error


@pytest.mark.parametrize(
    ("text", "pointer", "after"),
    [
        ('{"a": 1, "b": 2, "c": 3}', "/a", '{"b": 2, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "/b", '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2, "c": 3}', "/c", '{"a": 1, "b": 2}'),
        ('{\n  "a": 7.50,\n  "b": 1E2\n}', "/a", '{\n  "b": 1E2\n}'),
        ('{\n  "a": 7.50,\n  "b": 1E2\n}', "/b", '{\n  "a": 7.50\n}'),
        ('{\n  "a": 1\n}', "/a", "{}"),
        ('{"a": 1, "b": 2, "a": 3}', "/a", '{"b": 2}'),
        ('{"a": 1, "a": 3}', "/a", "{}"),
        ('{"a": 1, "b": 2, "a": 3, "a": 4, "c": 5}', "/a", '{"b": 2, "c": 5}'),
        ('{"a": [1, 2, 3]}', "/a/1", '{"a": [1, 3]}'),
        ('{"a": [1, 2, 3]}', "/a/0", '{"a": [2, 3]}'),
        ('{"a": [1]}', "/a/0", '{"a": []}'),
        ('{"a": 1}', "/x", '{"a": 1}'),
        ('{"a": 1}', "/a/x", '{"a": 1}'),
        ('{"a": [1]}', "/a/5", '{"a": [1]}'),
    ],
)
def test_removing_a_place_takes_its_comma_along(
    page: Page, text: str, pointer: str, after: str
) -> None:
    assert run(page, "return edit.removeAt(...given)", [text, pointer]) == after
