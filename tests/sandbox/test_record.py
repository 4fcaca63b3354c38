"""The status object, its log window and its stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import httpx
import pytest

from requests_app.sandbox import SandboxServer, Tuning
from tests.sandbox.calls import KEY, ended, held, status, submit, until, wait_for


def read_events(
    http: httpx.Client, receipt: dict, hear: Callable[[str], object] = bool, **params
) -> tuple[list[dict], list[str]]:
    """The data of every event, and every comment; `hear` is told of each line as it comes."""
    lines: list[str] = []
    with http.stream("GET", receipt["status_url"] + "/stream", params=params) as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        for line in filter(None, reply.iter_lines()):
            lines.append(line)
            hear(line)
    data = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    comments = [line for line in lines if line.startswith(":")]
    assert len(data) + len(comments) == len(lines)
    return data, comments


@pytest.mark.parametrize("asked", ["1", "true"])
def test_logs_come_only_when_asked_for_but_their_key_is_always_there(http, asked):
    receipt = submit(http, "sandbox/slow", steps=1, seconds_per_step=0)
    ended(http, receipt)
    assert status(http, receipt, logs="0")["logs"] is None
    assert status(http, receipt, logs="false")["logs"] is None
    messages = [line["message"] for line in status(http, receipt, logs=asked)["logs"]]
    assert messages == ["Loading weights", "Step 1/1: 100 %"]


def test_a_log_line_has_a_timestamp_without_zone_a_level_and_a_source(http):
    receipt = submit(http, "sandbox/crash", message="boom", after_s=0)
    line = ended(http, receipt)["logs"][-1]
    assert (line["level"], line["source"], line["labels"]) == ("ERROR", "USER", {})
    assert line["message"] == "RuntimeError: boom"
    assert len(line["timestamp"]) == len("2026-01-01T00:00:00.000000")


@pytest.mark.slow
def test_logs_are_a_moving_window_that_ends_with_the_request():
    with (
        SandboxServer(tuning=Tuning(log_window_s=0.25)) as server,
        httpx.Client(base_url=server.url, headers=KEY) as http,
    ):
        receipt = submit(http, "sandbox/slow", steps=6, seconds_per_step=0.1)
        done = ended(http, receipt)
        messages = [line["message"] for line in done["logs"]]
        time.sleep(0.3)
        later = [line["message"] for line in status(http, receipt, logs="1")["logs"]]
    assert messages == later
    assert messages[-1] == "Step 6/6: 100 %"
    assert "Loading weights" not in messages


def test_metrics_appear_at_the_end_and_measure_the_work(sandbox, http):
    sandbox.faults.add(**held("sandbox/patient"))
    began = time.monotonic()
    receipt = submit(http, "sandbox/patient", seconds=0.2)
    assert until(http, receipt, "IN_PROGRESS")["metrics"] == {}
    sandbox.faults.clear()
    took = ended(http, receipt)["metrics"]["inference_time"]
    assert 0.2 <= took <= time.monotonic() - began


def test_an_error_is_named_in_the_status_and_success_has_none(http):
    bad = ended(http, submit(http, "sandbox/strict", prompt="no"))
    assert bad["error"] == "Invalid status code: 422"
    assert "error_type" not in bad
    crash = ended(http, submit(http, "sandbox/crash", after_s=0))
    assert (crash["error"], crash["error_type"]) == (
        "Invalid status code: 500", "runner_server_error",
    )  # fmt: skip
    assert "error" not in ended(http, submit(http, "sandbox/echo"))


def test_the_stream_tells_every_state_and_each_log_line_once(sandbox, http):
    sandbox.faults.add(**held("sandbox/slow"))
    receipt = submit(http, "sandbox/slow", steps=3, seconds_per_step=0.08)
    until(http, receipt, "IN_PROGRESS")
    events, _ = read_events(http, receipt, lambda line: sandbox.faults.clear(), logs="1")
    assert len(events) > 1
    lines = [line["message"] for event in events for line in event.get("logs") or []]
    assert lines[0] == "Loading weights"
    assert lines[1:] == ["Step 1/3: 33 %", "Step 2/3: 66 %", "Step 3/3: 100 %"]
    assert [event["status"] for event in events][-1] == "COMPLETED"
    assert {event["status"] for event in events[:-1]} == {"IN_PROGRESS"}


def test_the_stream_shows_the_way_through_the_queue(http):
    running, ahead = (submit(http, "sandbox/patient", seconds=600) for _ in range(2))
    until(http, running, "IN_PROGRESS")
    receipt = submit(http, "sandbox/patient", seconds=0)
    seen: list[tuple[str, int | None]] = []
    leaders = {1: running, 0: ahead}

    def hear(line: str) -> None:
        if line.startswith("data: "):
            event = json.loads(line[6:])
            place = event.get("queue_position")
            seen.append((event["status"], place))
            if place in leaders:
                httpx.put(leaders.pop(place)["cancel_url"], headers=KEY, timeout=30)

    read_events(http, receipt, hear)
    assert seen[0] == ("IN_QUEUE", 1)
    assert ("IN_QUEUE", 0) in seen
    assert seen[-1] == ("COMPLETED", None)
    ended(http, ahead)


def test_a_quiet_stream_is_kept_alive_by_comments(sandbox, http):
    sandbox.faults.add(**held("sandbox/patient"))
    receipt = submit(http, "sandbox/patient", seconds=0)

    def hear(line: str) -> None:
        if line.startswith(":"):
            sandbox.faults.clear()

    _, comments = read_events(http, receipt, hear)
    assert comments
    assert set(comments) == {": ping"}


def test_a_stream_of_a_completed_request_says_so_once_with_all_lines(http):
    receipt = submit(http, "sandbox/slow", steps=2, seconds_per_step=0)
    ended(http, receipt)
    events, _ = read_events(http, receipt, logs="1")
    assert [event["status"] for event in events] == ["COMPLETED"]
    assert len(events[0]["logs"]) == 3


def test_a_caller_that_leaves_does_not_stop_the_request(http):
    receipt = submit(http, "sandbox/patient", seconds=0.3)
    with http.stream("GET", receipt["status_url"] + "/stream") as reply:
        next(reply.iter_lines())
    wait_for(lambda: status(http, receipt)["status"] == "COMPLETED")
    assert http.get(receipt["response_url"]).status_code == 200
