"""Inputs compared field by field, exactly."""

from __future__ import annotations

import pytest

from requests_app.display.input_diff import LONGEST, diff_inputs


def lines(*texts):
    return {
        line.name: ([cell.text for cell in line.cells], line.differs) for line in diff_inputs(texts)
    }


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (['{"a": 1}', '{"a": 1}'], {"a": (["1", "1"], False)}),
        (['{"a": 1}', '{"a": 1.0}'], {"a": (["1", "1.0"], True)}),
        (['{"a": 1}', "{}"], {"a": (["1", None], True)}),
        (['{"a": null}', "{}"], {"a": (["null", None], True)}),
        (['{"a": "1"}', '{"a": 1}'], {"a": (['"1"', "1"], True)}),
        (['{"a": {"b": 1}}', '{"a": { "b":1 }}'], {"a": (['{\n  "b": 1\n}'] * 2, False)}),
        (["{}", "{}"], {}),
        (["[1]", "not json"], {}),
        (
            ['{"n": 9007199254740993}', '{"n": 9007199254740992}'],
            {"n": (["9007199254740993", "9007199254740992"], True)},
        ),
    ],
)
def test_each_field_says_whether_it_differs(texts, expected):
    assert lines(*texts) == expected


def test_names_come_in_the_order_of_the_first_input_that_has_them():
    found = diff_inputs(['{"b": 1, "a": 2}', '{"c": 1, "a": 3}', '{"d": 0}'])
    assert [line.name for line in found] == ["b", "a", "c", "d"]


def test_a_long_value_is_cut_and_compared_whole():
    long = "x" * LONGEST
    [line] = diff_inputs([f'{{"a": "{long}1"}}', f'{{"a": "{long}2"}}'])
    assert line.differs
    assert all(cell.is_cut and len(cell.text) == LONGEST for cell in line.cells)
