from __future__ import annotations

import math

import pytest

from requests_app.fal import Control
from requests_app.fal.realtime_control import read_control


@pytest.mark.parametrize(
    ("message", "control"),
    [
        (
            {"type": "x-fal-error", "error": "INTERNAL_ERROR", "reason": "boom"},
            Control("error", "INTERNAL_ERROR", "boom"),
        ),
        (
            {"type": "x-fal-error", "error": "TIMEOUT", "reason": "no inputs"},
            Control("timeout", "TIMEOUT", "no inputs"),
        ),
        ({"type": "x-fal-error", "error": 5, "reason": None}, Control("error")),
        (
            {"type": "x-fal-message", "action": "timings", "timing": 0.0103},
            Control("message", action="timings", timing_s=0.0103),
        ),
        ({"type": "x-fal-message", "action": "new"}, Control("message", action="new")),
        ({"status": "error", "error": "Unauthorized"}, Control("unauthorized", "Unauthorized")),
    ],
)
def test_a_control_message_is_known(message: dict, control: Control) -> None:
    assert read_control(message) == control


@pytest.mark.parametrize("timing", [-1, True, "1", math.inf, math.nan, 10**400, None])
def test_a_timing_that_is_no_time_is_left_out(timing: object) -> None:
    control = read_control({"type": "x-fal-message", "action": "timings", "timing": timing})
    assert control == Control("message", action="timings")


@pytest.mark.parametrize(
    "message",
    [None, [], "x-fal-error", {}, {"type": "result"}, {"status": "error", "error": "Other"},
     {"error": "TIMEOUT"}, {"type": ["x-fal-error"]}],
)  # fmt: skip
def test_an_output_of_the_app_is_not_taken_for_one(message: object) -> None:
    assert read_control(message) is None


def test_only_timings_leave_the_session_open() -> None:
    kinds = ("error", "timeout", "unauthorized", "message")
    assert [Control(kind).ends_session for kind in kinds] == [True, True, True, False]
