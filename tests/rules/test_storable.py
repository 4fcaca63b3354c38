from __future__ import annotations

import json
import math
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from requests_app.models import Delivery, FalRequest, LogLine, Observation, Team
from requests_app.rules.storable import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_NODES,
    storable_columns,
    storable_json,
    storable_text,
)
from tests.builders import make_request


def nested(depth: int, *, objects: bool = False) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"x": value} if objects else [value]
    return value


# what came -> what is stored
JSON: dict[str, tuple[Any, Any]] = {
    "NaN": (math.nan, "NaN"),
    "Infinity": ({"a": math.inf}, {"a": "Infinity"}),
    "minus Infinity": ([-math.inf], ["-Infinity"]),
    "a float below 65 bits": (1.8e19, 1.8e19),
    "the largest float": ([1.7976931348623157e308], ["1.7976931348623157e+308"]),
    "the smallest float": (-1.7976931348623157e308, "-1.7976931348623157e+308"),
    "the least float": (5e-324, 5e-324),
    "a seed of 64 bits": (2**64 - 1, 2**64 - 1),
    "the smallest of 64 bits": (-(2**63), -(2**63)),
    "65 bits": (2**64, "18446744073709551616"),
    "below 64 bits": (-(2**63) - 1, "-9223372036854775809"),
    "400 digits": (10**400, "1" + "0" * 400),
    "more digits than Python writes": (10**5000, "(a number of 16,610 bits)"),
    "true and null": ([True, False, None], [True, False, None]),
    "NUL": ("a\0b", "a�b"),
    "half a surrogate pair": ("a\ud800", "a�"),
    "a whole pair in halves": ("\ud83d\ude00", "😀"),
    "odd names": ({"a\0": 1, "\udfff": 2}, {"a�": 1, "�": 2}),
    "names that are no text": ({1: "a", None: "b", 1.5: "c"}, {"1": "a", "None": "b", "1.5": "c"}),
    "a tuple": ((1, 2), [1, 2]),
    "what JSON does not have": ({"a": b"bytes"}, {"a": "(bytes)"}),
}


@pytest.mark.parametrize(("value", "wanted"), JSON.values(), ids=JSON)
def test_a_value_becomes_one_that_is_stored_and_shown(value: Any, wanted: Any) -> None:
    assert storable_json(value) == wanted


@pytest.mark.parametrize(
    "value",
    [
        nested(100_000),
        nested(100_000, objects=True),
        ["x" * 100] * 1_000_000,
        {f"name {number}": number for number in range(100_000)},
        {"n" * 10_000_000: "v" * 10_000_000},
        [["x" * 5000] * 500] * 500,
        nested(MAX_DEPTH + 1),
    ],
    ids=["deep", "deep objects", "long", "wide", "large texts", "all of it", "just too deep"],
)
def test_whatever_its_size_a_value_stays_small_and_says_what_it_lacks(value: Any) -> None:
    text = json.dumps(storable_json(value), allow_nan=False)
    assert len(text) < 4 * MAX_CHARACTERS
    assert any(word in text for word in ("entries", "characters more", "nested too deeply"))


def test_what_is_within_the_limits_stays_as_it_is() -> None:
    value = {"inference_time": 2.5, "more": [nested(MAX_DEPTH - 3), "é" * 1000, {"n": None}]}
    assert storable_json(value) == value
    assert storable_json(list(range(MAX_NODES - 1))) == list(range(MAX_NODES - 1))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@pytest.mark.slow
@given(values)
def test_any_value_is_strict_json_in_utf_8_without_nul(value: Any) -> None:
    stored = storable_json(value)
    text = json.dumps(stored, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in text
    assert json.loads(text.encode()) == stored
    assert storable_json(stored) == stored


@given(st.text(st.characters()), st.integers(0, 20))
def test_a_text_keeps_its_beginning(text: str, most: int) -> None:
    stored = storable_text(text, most)
    assert len(stored) <= most
    assert "\0" not in stored
    assert stored.encode().decode() == stored


COLUMNS: dict[str, tuple[type[Any], str, Any, Any]] = {
    "a text over its column": (FalRequest, "error_type", "x" * 500, "x" * 80),
    "a text of any length": (FalRequest, "error", "x" * 100_000, "x" * 100_000),
    "NUL in an id": (FalRequest, "gateway_request_id", "a\0b", "a�b"),
    "a code over 32 bits": (FalRequest, "error_code", 2**31, None),
    "a place over 32 bits": (FalRequest, "queue_position", 10**400, None),
    "one below": (FalRequest, "queue_position", -(2**31), None),
    "the last that fits": (FalRequest, "queue_position", 2**31 - 1, 2**31 - 1),
    "a size over 64 bits": (FalRequest, "output_size", 2**64, 2**63 - 1),
    "metrics": (FalRequest, "metrics", {"a": math.nan}, {"a": "NaN"}),
    "bytes": (FalRequest, "output", b"\0\xff", b"\0\xff"),
    "a kind": (Observation, "kind", "k" * 40, "k" * 30),
    "a fact": (Observation, "data", {"code": 10**400}, {"code": "1" + "0" * 400}),
    "a header": (Delivery, "headers", {"x": "\0"}, {"x": "�"}),
    "a level": (LogLine, "level", "L" * 30, "L" * 20),
}


@pytest.mark.parametrize(("model", "name", "value", "wanted"), COLUMNS.values(), ids=COLUMNS)
def test_a_value_fits_its_column(model: type[Any], name: str, value: Any, wanted: Any) -> None:
    assert storable_columns(model, {name: value}) == {name: wanted}


@pytest.mark.django_db
@pytest.mark.parametrize(("value", "wanted"), JSON.values(), ids=JSON)
def test_the_database_takes_it_and_gives_it_back(
    team: Team, owner: User, value: Any, wanted: Any
) -> None:
    row = make_request(team=team, person=owner)
    columns = storable_columns(FalRequest, {"metrics": {"a": value}, "error": str(wanted)})
    FalRequest.objects.filter(pk=row.pk).update(**columns, ended_at=timezone.now())
    row.refresh_from_db()
    assert (row.metrics, row.error) == ({"a": wanted}, storable_text(str(wanted)))
