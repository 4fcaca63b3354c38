"""How much JSON is taken: counted in the text, exactly, and as early as can be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.rules.json_bounds import MAX_DEPTH, MAX_NODES, OverBound, ensure_bounded

MANY = MAX_NODES


def nested(opening: str, depth: int, leaf: str = "1") -> str:
    closing = {"[": "]", '{"a":': "}"}[opening]
    return opening * depth + leaf + closing * depth


WIDE = {
    "numbers": "[" + "1," * MANY + "1]",
    "empty lists": "[" + "[]," * MANY + "[]]",
    "spaced lists": "[" + "[ ]," * MANY + "[\n]]",
    "lists of one": "[" + "[1]," * (MANY // 2) + "[1]]",
    "members": "{" + ",".join(f'"k{n}":0' for n in range(MANY)) + "}",
    "texts of commas": '{"a":"' + "," * MANY + '","b":[' + "0," * MANY + "0]}",
    "behind a broken end": "[" + "1," * MANY + "oops",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_too_many_values_are_refused_with_the_bound(name: str) -> None:
    with pytest.raises(OverBound, match="250,000 values"):
        ensure_bounded(WIDE[name])


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize(("depth", "leaf"), [(MAX_DEPTH, "1"), (MAX_DEPTH, '"x"'), (100_000, "")])
def test_too_deep_nesting_is_refused_with_the_bound(opening: str, depth: int, leaf: str) -> None:
    with pytest.raises(OverBound, match="64 levels"):
        ensure_bounded(nested(opening, depth, leaf))


@pytest.mark.parametrize(
    "text",
    [
        nested("[", MAX_DEPTH - 1), nested('{"a":', MAX_DEPTH - 1), nested("[", MAX_DEPTH - 1, "[]"),
        "[" + "1," * (MANY - 2) + "1]", "[" + "[]," * (MANY - 2) + "[]]",
        '{"a":"' + "[{," * MANY + '"}', '"' + "\\\\" * MANY + "[" * 100 + '"', '"' + '\\"[' * MANY + '"',
        "", "1", '"', '"never closed [[[[', "]" * MANY, '""' * MANY, "[" * 50 + '"' + "[" * 100,
    ],
)  # fmt: skip
def test_what_is_within_the_bounds_or_no_json_passes(text: str) -> None:
    ensure_bounded(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def nodes_of(value: Any) -> int:
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return 1 + sum(map(nodes_of, children))


def levels_of(value: Any) -> int:
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return 1 + max(map(levels_of, children), default=0)


@pytest.mark.slow
@given(VALUES, st.sampled_from([None, 1]))
def test_the_count_is_exact(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    nodes, levels = nodes_of(value), levels_of(value)
    ensure_bounded(text, nodes=nodes, depth=levels)
    if nodes > 1:
        with pytest.raises(OverBound):
            ensure_bounded(text, nodes=nodes - 1)
        with pytest.raises(OverBound):
            ensure_bounded(text, depth=levels - 1)
