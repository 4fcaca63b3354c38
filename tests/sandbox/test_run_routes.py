"""The synchronous call and the stream of a model."""

from __future__ import annotations

import json
from itertools import pairwise

import httpx
import pytest

from tests.sandbox.calls import KEY, wait_for

HASTY = httpx.Timeout(30, read=0.1)


def stream(http: httpx.Client, path: str, **given: object) -> list[dict]:
    with http.stream("POST", path, json=given) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line[6:]) for line in reply.iter_lines() if line]


def test_a_run_answers_with_the_output_and_a_request_id(http):
    reply = http.post("/run/sandbox/echo", json={"message": "hi", "extra": [1]})
    assert reply.json() == {"message": "hi", "number": None, "doubled": None, "extra": [1]}
    assert len(reply.headers["x-fal-request-id"]) == 36


def test_cumulative_events_grow_and_delta_events_add_up_to_the_same_text(http):
    given = {"prompt": "waves", "words": 5, "delay_s": 0}
    whole = http.post("/run/sandbox/text", json=given).json()["output"]
    grown = stream(http, "/run/sandbox/text/stream", **given)
    pieces = stream(http, "/run/sandbox/text/stream", **given, mode="delta")
    assert [event["partial"] for event in grown] == [True] * 5 + [False]
    assert grown[-1]["output"] == whole
    assert "".join(event["output"] for event in pieces) == whole
    assert all(b["output"].startswith(a["output"]) for a, b in pairwise(grown))


def test_the_imitated_language_model_ends_with_partial_false(http):
    events = stream(http, "/run/fal-ai/any-llm/stream", prompt="a joke")
    assert [event["partial"] for event in events][-2:] == [True, False]


def test_a_wrong_input_of_a_stream_is_an_ordinary_422(http):
    reply = http.post("/run/sandbox/text/stream", json={"words": 0})
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["body", "words"]


@pytest.mark.parametrize("path", ["/run/sandbox/large/stream", "/run/sandbox/large/realtime"])
def test_a_path_the_app_does_not_have_is_404(http, path):
    reply = http.post(path, json={})
    tail = path.removeprefix("/run/sandbox/large")
    assert (reply.status_code, reply.json()) == (404, {"detail": f"Path {tail} not found"})


def test_an_unknown_app_is_404_and_get_is_405(http):
    assert http.post("/run/nobody/nothing", json={}).status_code == 404
    assert http.post("/run/short", json={}).status_code == 404
    assert http.get("/run/sandbox/echo").status_code == 405


def test_runs_and_streams_are_in_the_ledger_with_their_kind(sandbox, http):
    before = len(sandbox.ledger)
    http.post("/run/sandbox/echo", json={})
    stream(http, "/run/sandbox/text/stream", words=1)
    kinds = [(entry.kind, entry.endpoint_id) for entry in sandbox.ledger[before:]]
    assert kinds == [("run", "sandbox/echo"), ("stream", "sandbox/text")]
    assert [entry["kind"] for entry in http.get("/control/ledger").json()][-2:] == ["run", "stream"]


@pytest.mark.slow
def test_a_caller_that_hangs_up_aborts_its_run(sandbox, http, caplog):
    with pytest.raises(httpx.ReadTimeout), httpx.Client(headers=KEY, timeout=HASTY) as hasty:
        hasty.post(f"{sandbox.url}/run/sandbox/crash", json={"after_s": 1.5, "message": "gone"})
    with caplog.at_level("INFO", logger="requests_app.sandbox.runner"):
        http.post("/run/sandbox/crash", json={"after_s": 1.6, "message": "stayed"})
    wait_for(lambda: "stayed" in caplog.text)
    assert "gone" not in caplog.text
