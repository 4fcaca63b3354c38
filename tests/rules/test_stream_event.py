"""What one event of a stream says; no database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.rules.stream_event import LARGE, Says, State, may_tell, read_event


def says(data: Any, name: str = "", *, is_cut: bool = False) -> Says:
    """Text as it stands, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return read_event(name, text, is_cut=is_cut).says


OUTPUTS: list[tuple[str, Any]] = [
    ("", "plain text"), ("", "error"), ("", "ping pong"), ("", " "), ("", "12"), ("", "true"), ("", '"a"'), ("", '" "'),
    ("", '{"broken'), ("", "[" * 100_000), ("", {"output": "a"}), ("", {"output": " "}),
    ("", {"output": "a", "partial": True}), ("", {"number": 0}), ("", {"ok": True, "flag": False}),
    ("", {"image": {"url": "x"}}), ("", {"images": [], "seed": 1}), ("", [1]), ("", {"state": {"a": 1}}),
    ("", {"type": "text", "status": "COMPLETED", "message": "hello"}),
    ("", {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
    ("", {"choices": [{"delta": {"content": "x"}, "index": 0}]}),
    ("", {"token": {"id": 5, "text": " a"}, "generated_text": None}),
    ("", {"detail": 3}), ("", {"detail": "high", "image": "x"}),
    ("output", "hi"), ("message", {"text": "a"}), ("completion", {"completion": "a"}),
    ("done", {"output": "a"}), ("complete", ["a"]), ("end", "x" * 41), ("", {"type": "done", "text": "a"}),
    ("", {"done": True, "response": "a"}), ("progress", {"progress": 0.5, "image": "x"}),
    ("start", {"text": "Hello"}),
]  # fmt: skip

NOTES: list[tuple[str, Any]] = [
    ("", {}), ("", []), ("", {"progress": 0.5}), ("", {"step": 3, "total_steps": 10}),
    ("", {"type": "progress", "step": 3}), ("", {"status": "IN_PROGRESS"}), ("", {"status": "COMPLETED"}),
    ("", {"error": None}), ("", {"error": "none"}), ("", {"error": 0.03}), ("", {"output": ""}),
    ("", {"output": None, "partial": False}), ("", {"usage": {"tokens": 3}}), ("", {"metrics": {"t": 1}}),
    ("", {"type": "done"}), ("", {"done": True}), ("", {"finish_reason": "stop"}), ("", {"event": "end"}),
    ("", {"type": "message_stop"}), ("", {"done": True, "done_reason": "stop", "eval_count": 3}),
    ("", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
    ("", {"choices": [{"delta": {}, "finish_reason": "stop", "index": 0}]}),
    ("", {"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}),
    ("", {"choices": [], "usage": {"total_tokens": 3}, "id": "x", "model": "m"}),
    ("", {"type": "status", "message": "Loading"}), ("", {"event": "progress", "data": {"progress": 1}}),
    ("done", "done"), ("end", "Stream finished"), ("complete", {"message": "all done", "duration": 3}),
    ("done", "true"), ("done", {"reason": "stop"}), ("log", "step 3"), ("status", "COMPLETED"), ("metadata", {"run_id": "x"}),
]  # fmt: skip

NOTHING: list[tuple[str, Any]] = [
    ("", ""), ("", "null"), ("", '""'), ("", "[DONE]"), ("", "  [DONE] "), ("", "[done]"), ("", '"[DONE]"'),
    ("", "[END]"), ("", "<|endoftext|>"), ("done", ""), ("done", "[DONE]"), ("done", {}), ("end", "null"),
    ("ping", ""), ("ping", "1700000000"), ("ping", {"time": 3}), ("heartbeat", "null"), ("keep-alive", "x"),
    ("keepalive", {}), ("", {"type": "ping"}), ("", {"event": "heartbeat", "n": 3}), ("anything", ""),
]  # fmt: skip

ERRORS: list[tuple[str, Any]] = [
    ("error", ""), ("error", {"output": "a"}), ("", {"error": "boom"}), ("done", {"reason": "error"}),
    ("done", {"reason": "canceled"}), ("end", {"error": "boom"}), ("ping", {"error": "boom"}),
    ("", {"type": "done", "reason": "timeout"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "name", "data"),
    [
        (wanted, name, data)
        for wanted, table in (
            (Says.OUTPUT, OUTPUTS), (Says.NOTE, NOTES), (Says.NOTHING, NOTHING), (Says.ERROR, ERRORS)
        )
        for name, data in table
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_an_event_says_one_of_four_things(wanted: Says, name: str, data: Any) -> None:
    assert says(data, name) is wanted


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ('{"output": "half', Says.PART), ("12", Says.PART), ("", Says.PART), ("wor", Says.PART),
        ({"output": "a"}, Says.OUTPUT), ([1], Says.OUTPUT), ("[DONE]", Says.NOTHING), ({"error": "boom"}, Says.ERROR),
    ],
)  # fmt: skip
def test_of_a_cut_event_what_is_closed_is_whole(data: Any, wanted: Says) -> None:
    assert says(data, is_cut=True) is wanted


@pytest.mark.parametrize(
    ("data", "name", "state"),
    [
        ({"output": "a", "partial": True}, "", State.PARTIAL), ({"partial": False}, "", State.WHOLE),
        ({"text": "a", "done": False}, "", State.RUNNING), ({"text": "a", "done": True}, "", State.WHOLE),
        ({"status": "IN_PROGRESS"}, "", State.RUNNING), ({"status": "completed"}, "", State.WHOLE),
        ({"is_final": False}, "", State.RUNNING), ({"incomplete": True}, "", State.PARTIAL),
        ({}, "done", State.CLOSING), ("[DONE]", "", State.CLOSING), ({"type": "end"}, "", State.CLOSING),
        ({"output": "a"}, "", State.UNTOLD), ({"partial": "yes", "done": 1}, "", State.UNTOLD), ("a", "", State.UNTOLD),
    ],
    ids=str,
)  # fmt: skip
def test_an_event_may_tell_how_far_the_output_is(data: Any, name: str, state: State) -> None:
    text = data if isinstance(data, str) else json.dumps(data)
    assert read_event(name, text).state is state


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"image": "A" * LARGE}, Says.OUTPUT), ({"image": "A" * LARGE, "error": "boom"}, Says.ERROR),
        ({"image": "A" * LARGE, "partial": True}, Says.OUTPUT), ("A" * (LARGE + 1), Says.OUTPUT),
    ],
    ids=["image", "error", "partial", "text"],
)  # fmt: skip
def test_a_large_event_is_read_as_a_small_one(data: Any, wanted: Says) -> None:
    assert says(data) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"prompt": "a lake", "n": 5}', False), ('{"a": "no error"}', False), ("", False),
        ('{"error": 1}', True), ('{"last_Error": 1}', True), ('{"ERROR-code": 1}', True),
        ('{"é": 1, "x-STATUS": 2}', True), ('{"é": "statue"}', False), ('["done"]', True),
        ('{"\u017ftatus": 1}', True),  # a long s, which is an s where case does not matter
    ],
)  # fmt: skip
def test_what_may_tell_begins_with_a_known_word_in_any_case(text: str, wanted: bool) -> None:
    assert may_tell(text) is wanted


def test_every_text_is_read_as_pythons_own_parser_reads_it() -> None:
    texts = (
        '{"a": 1, "a": 2}', "NaN", "[-Infinity]", "[1e400, -0.0, 1e-400]", str(2**80), "-" + "9" * 400, "9" * 5000,
        '"\\ud800"', '"\ud800"', '"\\ud83d\\ude00"', '"a\tb"', '"\x7f"', "\ufeff{}", "01", "1.", "[1,]", " \n[ 1 ]\t",
        "\u00a01", "[" * 100_000, "[" * 500 + "]" * 500, "nul", "", "0.1234567890123456789",
    )  # fmt: skip
    for text in texts:
        try:
            wanted, content_type = json.loads(text), "application/json"
        except (ValueError, RecursionError):
            wanted, content_type = text, "text/plain"
        said = read_event("", text)
        assert (repr(said.value), said.content_type) == (repr(wanted), content_type), text[:40]
