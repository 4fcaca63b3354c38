"""Which listed request may be the lost one, and when that is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from requests_app.fal import Listed
from requests_app.rules.lost_submit import (
    SEVERAL,
    TWIN,
    LostSubmit,
    Match,
    candidates,
    is_same,
    match_listed,
)

SENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
LOST = LostSubmit("acme/img", {"prompt": "a lake", "n": 1}, SENT)
GOOD = Listed("r-1", "acme/img", {"n": 1, "prompt": "a lake"}, SENT + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": [2, {"c": None}]}, {"b": [2, {"c": None}], "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1e2}, {"a": 100}),
        ({"a": 10**30}, {"a": 10**30}),
        ("\u00e9😀", "\u00e9😀"),
        ([], []),
        (True, True),
    ],
)
def test_the_same_value_may_be_written_in_many_ways(one: Any, other: Any) -> None:
    assert is_same(one, other)
    assert is_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {}),
        ({"a": []}, {"a": {}}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ("\u00e9", "e\u0301"),
        ({"a": 0.1}, {"a": 0.1000000001}),
        ({"a": [{"b": True}]}, {"a": [{"b": 1}]}),
        ({"a": 1}, None),
    ],
)
def test_other_values_are_others(one: Any, other: Any) -> None:
    assert not is_same(one, other)
    assert not is_same(other, one)


@pytest.mark.parametrize(
    ("changes", "may_be"),
    [
        ({}, True),
        ({"sent_at": None}, True),
        ({"sent_at": SENT - timedelta(seconds=5)}, True),
        ({"sent_at": SENT - timedelta(seconds=6)}, False),
        ({"sent_at": SENT + timedelta(seconds=65)}, True),
        ({"sent_at": SENT + timedelta(seconds=66)}, False),
        ({"endpoint_id": "acme/img/fast"}, False),
        ({"endpoint_id": ""}, False),
        ({"input": None}, False),
        ({"input": {"prompt": "a lake", "n": 2}}, False),
    ],
)
def test_endpoint_input_and_time_have_to_fit(changes: dict[str, Any], may_be: bool) -> None:
    assert bool(list(candidates(LOST, [replace(GOOD, **changes)]))) == may_be


@pytest.mark.parametrize(
    ("found", "claimed", "has_twin", "verdict"),
    [
        ([], [], False, Match()),
        (["r-1"], [], False, Match("r-1")),
        (["r-1", "r-1"], [], False, Match("r-1")),  # a page that moved while it was read
        (["r-1"], ["r-1"], False, Match()),
        (["r-1", "r-2"], ["r-1"], False, Match("r-2")),
        (["r-1", "r-2"], [], False, Match(doubt=SEVERAL)),
        (["r-1", "r-2"], [], True, Match(doubt=SEVERAL)),
        (["r-1", "r-2"], ["r-1"], True, Match(doubt=TWIN)),
        (["r-1"], [], True, Match(doubt=TWIN)),
        ([], [], True, Match()),
    ],
)
def test_only_what_can_be_nothing_else_is_recognised(
    found: list[str], claimed: list[str], has_twin: bool, verdict: Match
) -> None:
    assert match_listed(found, claimed=claimed, has_twin=has_twin) == verdict
