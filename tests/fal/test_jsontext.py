from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.jsontext import NotJson, parse_json, parse_members, parse_object

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
    b'{"a":' + b"1" * 5000 + b"}",
    b"\xff{}",
    '{"a":1}'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_every_oddity_is_one_exception(body: bytes) -> None:
    for read in (parse_json, parse_object, parse_members):
        with pytest.raises(NotJson):
            read(body)


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


@given(st.dictionaries(st.text(), values, max_size=5), st.sampled_from([None, 2]))
def test_members_agree_with_the_parser_of_the_library(
    value: dict[str, object], indent: int | None
) -> None:
    body = json.dumps(value, indent=indent).encode()
    members = parse_members(body)
    assert {name: member.value for name, member in members.items()} == value
    assert {name: json.loads(member.raw) for name, member in members.items()} == value
