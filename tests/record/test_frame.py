"""One frame as a value, and as a page shows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.models import FalRequest
from requests_app.record.frame import LARGE, NewFrame, batch_message, sketch
from requests_app.record.storage import append


def new(number: int, data: str = "x", **fields: Any) -> NewFrame:
    return NewFrame(number, number * 1.5, data, len(data), **fields)


@pytest.mark.parametrize(("size", "is_shown"), [(LARGE, True), (LARGE + 1, False)])
def test_a_sketch_leaves_a_large_text_to_be_fetched(size: int, is_shown: bool) -> None:
    shown = sketch(new(1, "x" * size))
    assert (shown["data"] is not None) is is_shown
    assert shown["size"] == size


def test_a_message_carries_a_batch_as_sketches() -> None:
    batch = [new(1, 'quote " and \u2028', event="delta"), new(2, "x" * (LARGE + 1))]
    assert json.loads(batch_message(batch, request="7")) == {
        "type": "frames", "request": "7", "last": 2, "frames": [sketch(frame) for frame in batch],
    }  # fmt: skip


def test_a_sketch_is_the_same_before_and_after_it_was_stored(row: FalRequest) -> None:
    one = new(1, "text", event="delta", event_id="7", pair=4, rtt_ms=1.25, says="error")
    append(row.pk, [one])
    assert sketch(row.frames.get()) == sketch(one)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"data": '{"error": "boom"}', "says": "output"},
            "output",
        ),  # as it was judged when it came
        ({"data": '{"error": "boom"}'}, "error"),
        ({"data": "boom", "event": "error"}, "error"),
        ({"data": "[DONE]", "event": "done"}, "nothing"),
        ({"data": "[DONE]"}, "nothing"),
        ({"data": '{"text": "a"}'}, "output"),
        ({"data": '{"text": "a"}', "kind": "json"}, ""),
        ({"data": '{"error": "boom"}', "kind": "json"}, "error"),
        ({"data": '{"error": "boom"}', "kind": "json", "direction": "out"}, ""),
        ({"data": '{"error": "' + "x" * 5000 + '"}'}, ""),
    ],
    ids=range(10),
)
def test_a_frame_whose_meaning_was_not_kept_is_glimpsed_at(
    fields: dict[str, Any], says: str
) -> None:
    assert sketch(new(1, **fields))["says"] == says
