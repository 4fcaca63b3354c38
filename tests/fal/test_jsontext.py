from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.jsontext import (
    TOO_DEEP,
    NotJson,
    parse_json,
    parse_members,
    parse_object,
    parse_with_items,
)

BAD = [
    b"",
    b"{",
    b'{"a"',
    b'{"a":1,}',
    b'{"a":1}x',
    b'{"a":1 "b":2}',
    b"{,}",
    b"{1:2}",
    b'{"a":' + b"[" * 200_000,
    b'{"a":[[]}',
    b'{"a":"' + b"[" * 5 + b"}",
    b"\xff{}",
    '{"a":1}'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_every_oddity_is_one_exception(body: bytes) -> None:
    for read in (parse_json, parse_object, parse_members):
        with pytest.raises(NotJson):
            read(body)


DEEP = b"[" * 100_000 + b"]" * 100_000
# member -> what stands for it
HARD: dict[str, tuple[bytes, object]] = {
    "an array of 100,000 levels": (DEEP, TOO_DEEP),
    "objects of 100,000 levels": (b'{"x":' * 100_000 + b"1" + b"}" * 100_000, TOO_DEEP),
    "deep, with brackets in strings": (b'["]}\\"[", ' + DEEP + b"]", TOO_DEEP),
    "deep, after a number that is too long": (b"[" + b"1" * 5000 + b"," + DEEP + b"]", TOO_DEEP),
    "a number of 5,000 digits": (b"1" * 5000, "1" * 5000),
    "one below zero": (b"-" + b"7" * 5000, "-" + "7" * 5000),
    "a number of 4,000 digits": (b"1" * 4000, int("1" * 4000)),
    "a list with such numbers": (b"[1, " + b"1" * 5000 + b"]", [1, "1" * 5000]),
    "over every float": (b"1e400", math.inf),
    "below every float": (b"-1e400", -math.inf),
    "Infinity": (b"Infinity", math.inf),
    "a lone surrogate": (b'"\\ud800"', "\ud800"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("raw", "value"), HARD.values(), ids=HARD)
def test_a_member_that_cannot_be_read_costs_no_other(raw: bytes, value: object) -> None:
    body = b'{"status": "COMPLETED", "hard": ' + raw + b', "logs": [1, ' + raw + b', 2], "z": 1}'
    wanted = {"status": "COMPLETED", "hard": value, "z": 1}
    for read in (parse_json, parse_object):
        assert read(body).items() >= wanted.items()
    members = parse_members(body)
    assert (members["hard"].value, members["hard"].raw) == (value, raw)
    assert members["z"].value == 1
    logs = parse_with_items(body, "logs")["logs"]
    assert (len(logs), list(logs)) == (3, [1, value, 2])


def test_nan_is_read_as_python_writes_it() -> None:
    assert math.isnan(
        parse_object(b'{"metrics": {"inference_time": NaN}}')["metrics"]["inference_time"]
    )


def test_a_list_that_is_nested_too_deeply_is_no_json_that_can_be_read() -> None:
    with pytest.raises(NotJson):
        parse_json(DEEP)


def test_an_object_is_asked_for_and_a_list_is_not_one() -> None:
    assert parse_json(b"[1]") == [1]
    for read in (parse_object, parse_members):
        with pytest.raises(NotJson):
            read(b"[1]")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_raw_members_keep_the_text_they_were_written_as() -> None:
    members = parse_members(
        b' { "n" : 1.0e5 , "big":123456789012345678901234567890, "t":"\\u0041\xc3\xa9" } \n'
    )
    assert members["n"].raw == b"1.0e5"
    assert members["big"].raw == b"123456789012345678901234567890"
    assert members["t"].raw == b'"\\u0041\xc3\xa9"'
    assert members["t"].value == "Aé"


def test_the_last_of_two_members_of_one_name_counts_as_in_json_itself() -> None:
    body = b'{"a":1,"a":2}'
    assert parse_members(body)["a"].value == parse_object(body)["a"] == 2


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.slow
@given(st.dictionaries(st.text(), values, max_size=5), st.sampled_from([None, 2]))
def test_members_agree_with_the_parser_of_the_library(
    value: dict[str, object], indent: int | None
) -> None:
    body = json.dumps(value, indent=indent).encode()
    members = parse_members(body)
    assert {name: member.value for name, member in members.items()} == value
    assert {name: json.loads(member.raw) for name, member in members.items()} == value
