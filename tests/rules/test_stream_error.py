"""Which values of an event say that something failed; no database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.rules import stream_error
from requests_app.rules.stream_error import error_in, is_broken_off

ERRORS: list[Any] = [
    {"error": "boom"},
    {"error": True},
    {"error": ["boom"]},
    {"error": {"type": "overloaded", "message": "boom"}},
    {"error": {"code": 500}},
    {"error": {"code": "rate_limited"}},
    {"error": {"type": "overloaded_error"}},
    {"error": {"error": {"message": "boom"}}},
    {"error": {"details": [{"reason": "boom"}]}},
    {"error": [{"loc": ["body"], "msg": "boom"}]},
    {"error": 503, "message": "upstream is down"},
    {"output": "half", "error": "boom"},
    {"output": "half", "error_message": "boom"},
    {"errorText": "boom", "type": "error"},
    {"type": "error"},
    {"type": "ERROR", "message": "boom"},
    {"type": "response.failed", "response": {"error": {"message": "boom"}}},
    {"type": "x-fal-error", "error": "TIMEOUT", "reason": "boom"},
    {"type": "overloaded_error", "message": "boom"},
    {"event": "error", "data": {"message": "boom"}},
    {"object": "error", "message": "boom", "code": 400},
    {"status": "failed"},
    {"status": "FAILED", "request_id": "x"},
    {"status": "ERROR", "output": None},
    {"status": "generation_failed"},
    {"detail": "boom"},
    {"detail": [{"loc": ["body", "n"], "msg": "boom", "type": "x"}]},
    {"detail": {"type": "content_policy_violation", "msg": "boom"}},
    {"output": None, "detail": "boom"},
    {"errors": ["boom"], "success": False},
    {"errors": [{"message": "boom"}], "data": None},
    {"success": False, "message": "boom"},
    {"ok": False},
    {"status": 500, "title": "boom", "type": "about:blank"},
    {"code": 429, "message": "too many"},
    {"data": {"error": "boom"}},
    {"id": "7", "data": {"error": {"message": "boom"}}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "boom"}},
    {"choices": [{"delta": {"content": ""}, "finish_reason": "error"}]},
    {"choices": [{"error": {"message": "boom"}}]},
    json.dumps({"error": "boom"}),  # JSON inside a JSON string
]

NONE: list[Any] = [
    None, 12, 0.5, True, "", "error", "Error: boom", "plain text", [], {}, [{"error": "boom"}],
    {"error": None}, {"error": ""}, {"error": "  "}, {"error": False}, {"error": 0}, {"error": 0.03},
    {"error": []}, {"error": {}}, {"error": [None, ""]}, {"error": {"message": None, "code": 0}},
    {"error": {"code": 0, "message": "success"}}, {"error": {"code": 200, "message": "OK"}},
    {"error": "none"}, {"error": "None"}, {"error": "NONE."}, {"error": "null"}, {"error": "no error"},
    {"error": "No errors occurred."}, {"error": "n/a"}, {"error": "false"}, {"error": "0"},
    {"error": "-"}, {"error": "{}"}, {"error": "undefined"}, {"error": {"message": "none"}},
    {"error": {"type": "none"}}, {"error": {"mean": 0.1}}, {"error": {"type": "mse", "value": 0.1}},
    {"error": [0.1, 0.2]}, {"error": 3, "detail": None}, {"error": "none", "detail": "none"},
    {"output": "fine", "error": "none", "error_code": 0},
    {"detail": "high", "image": "x"}, {"detail": 3}, {"detail": ""},
    {"errors": ["a word"], "text": "about the words", "words": 4},
    {"errors": [], "output": "x"}, {"errors": 0},
    {"type": "mean_squared_error", "value": 0.1}, {"type": "no_error"}, {"status": "not_failed"},
    {"type": "text", "status": "COMPLETED", "message": "hello"},
    {"success": True, "message": "fine"}, {"success": False, "image": "x"},
    {"code": 200, "message": "fine"}, {"status": 200, "title": "fine"},
    {"output": {"error": "boom", "type": "error"}}, {"result": {"error": "boom"}},
    {"data": {"error": "boom", "image": "x", "error_rate": 1}, "output": "y"},
    {"choices": [{"delta": {"content": "error"}, "finish_reason": "stop"}]},
]  # fmt: skip


@pytest.mark.parametrize("value", ERRORS, ids=str)
def test_an_error_is_one_in_any_shape(value: Any) -> None:
    assert error_in("", value) is not None


@pytest.mark.parametrize("value", NONE, ids=str)
def test_a_denial_a_metric_and_words_about_errors_are_none(value: Any) -> None:
    assert error_in("", value) is None


@pytest.mark.parametrize(
    "name",
    [
        "error",
        "Error",
        "ERROR",
        "response.failed",
        "stream-error",
        "onError",
        "error_event",
        "failure",
    ],
)
@pytest.mark.parametrize("value", ["", "boom", None, {}, {"output": "a"}])
def test_the_name_of_an_event_may_say_it_alone(name: str, value: Any) -> None:
    assert error_in(name, value) is not None


@pytest.mark.parametrize(
    "name", ["", "errors", "error_rate", "no_error", "done", "message", "terror"]
)
def test_another_name_says_nothing_of_it(name: str) -> None:
    assert error_in(name, {"output": "a"}) is None


@pytest.mark.parametrize(
    ("word", "says"),
    [("error", True), ("canceled", True), ("client-aborted", True), ("stop", False), (None, False)],
)
def test_a_reason_for_an_end_may_be_a_failure(word: Any, says: bool) -> None:
    assert is_broken_off(word) is says


def inside(name: str, value: Any, times: int) -> Any:
    for _ in range(times):
        value = {name: value}
    return value


def test_an_envelope_is_opened_a_few_times_and_not_without_end() -> None:
    assert error_in("", inside("data", {"error": "boom"}, 3)) == {"error": "boom"}
    assert error_in("", inside("data", {"error": "boom"}, 900)) is None
    assert error_in("", inside("error", "boom", 3)) is not None
    assert error_in("", inside("error", "boom", 900)) is None


NAMES = sorted(stream_error._ERROR_NAMES | {*stream_error._ENVELOPES, "choices", "x"})
LEAVES = st.sampled_from([None, False, True, 0, 1, 404, "", "boom", "failed", "none"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=3) | st.lists(inner),
)


class Always:
    """Has a member in common with every object."""

    def isdisjoint(self, other: Any) -> bool:
        return False


@pytest.mark.slow
@given(VALUES)
def test_an_object_without_any_of_the_hints_tells_no_error(value: Any) -> None:
    quick = error_in("", value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_error, "_HINTS", Always())
        assert error_in("", value) == quick
