"""Errors in words: what happened, where, what to do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from requests_app.display.advice import KNOWN
from requests_app.display.explain import MAX_FIELDS, explain
from requests_app.models import ErrorType, FalRequest, Observation, Status
from tests.source import nodes_of, text_of, under


def failed(**fields: object) -> FalRequest:
    return FalRequest(status=Status.FAILED, **fields)


def body(*fields: object) -> bytes:
    return json.dumps({"detail": list(fields)}).encode()


def test_a_row_that_did_not_fail_needs_no_explanation():
    for status in set(Status) - {Status.FAILED, Status.UNCERTAIN}:
        assert explain(FalRequest(status=status, error="x"), b"") is None


def test_a_refused_input_is_told_field_by_field():
    wrong = [
        {"loc": ["body", "images", 0, "url"], "msg": "no such file", "type": "file_download_error"},
        {"loc": ["body", "steps"], "msg": "too many", "type": "less_than_equal"},
        {"loc": ["body"], "msg": "odd", "type": "value_error"},
    ]
    told = explain(failed(error="x", error_code=422), body(*wrong))
    assert told is not None
    assert told.tone == "yours"
    assert [(field.place, field.message) for field in told.fields] == [
        ("images[0].url", "no such file"),
        ("steps", "too many"),
        ("the whole input", "odd"),
    ]


def test_it_says_no_more_fields_than_a_page_can_hold():
    told = explain(failed(error_code=422), body(*[{"loc": ["x"], "msg": "m"}] * 500))
    assert told is not None
    assert len(told.fields) == MAX_FIELDS


@pytest.mark.parametrize(
    ("code", "title"),
    [
        (401, "did not accept the key"),
        (403, "refused the connection"),
        (404, "no realtime endpoint"),
        (429, "Too many sessions"),
        (None, "closed the session by its rules"),
        (418, "fal rejected the request"),
    ],
)
def test_a_refused_session_is_explained_by_what_came_in_place_of_a_socket(
    code: int | None, title: str
) -> None:
    told = explain(failed(mode="realtime", error_type="refused", error_code=code), b"")
    assert told is not None
    assert title in told.title


@pytest.mark.parametrize(
    ("fields", "title", "tone"),
    [
        (
            {"error_type": "runner_disconnected", "error_code": 503},
            "fal lost the machine",
            "theirs",
        ),
        ({"error_type": "runner_connection_refused"}, "fal lost the machine", "theirs"),
        ({"error_type": "startup_timeout", "error_code": 504}, "No runner was ready", "theirs"),
        ({"error_code": 401}, "fal did not accept the key", "theirs"),
        ({"error_code": 403}, "fal refused this installation's account", "theirs"),
        ({"error_code": 429}, "Too many requests at once", "theirs"),
        ({"error_code": 418}, "fal rejected the request", "yours"),
        ({"error_code": 500}, "It failed at fal", "theirs"),
        ({}, "It failed at fal", "theirs"),
        ({"error_type": "partial_stream"}, "The stream was closed in the middle", "theirs"),
        ({"error_type": "empty_stream"}, "The stream brought nothing", "theirs"),
        ({"mode": "stream", "error_code": 200}, "The model failed in the middle", "theirs"),
        ({"mode": "queue", "error_code": 200}, "It failed at fal", "theirs"),
        ({"error_type": "session_error"}, "The session ended with an error", "theirs"),
        ({"error_type": "result_expired", "error_code": 404}, "The result is gone", "theirs"),
    ],
)
def test_a_known_cause_has_its_own_words(fields, title, tone):
    told = explain(failed(error="raw words", **fields), b"")
    assert told is not None
    assert told.title.startswith(title)
    assert (told.tone, told.sentence) == (tone, "raw words")
    assert told.advice


@pytest.mark.parametrize(
    "output",
    [
        ["odd", "words"],
        {"detail": ["a", "b"], "image": "x"},
        {"type": "internal_error", "text": "a"},
    ],
)
def test_the_output_of_a_stream_that_failed_is_not_read_as_its_error(output: Any) -> None:
    row = failed(mode="stream", error="The model stumbled.", error_code=200)
    told = explain(row, json.dumps(output).encode())
    assert told is not None
    assert (told.sentence, told.fields) == ("The model stumbled.", ())
    assert told.title == "The model failed in the middle of the stream"


@pytest.mark.parametrize("code", [200, 422])
def test_the_fields_in_the_error_of_a_stream_are_told(code: int) -> None:
    wrong = {"loc": ["body", "steps"], "msg": "too many", "type": "x"}
    told = explain(failed(mode="stream", error="x", error_code=code), body(wrong))
    assert told is not None
    assert [(field.place, field.message) for field in told.fields] == [("steps", "too many")]


@pytest.mark.parametrize("error_type", ["interrupted", "hung_up", "unreadable"])
def test_of_a_run_nothing_can_have_come_so_nothing_is_said_to_be_kept(error_type: str):
    run = explain(failed(mode="run", error_type=error_type), b"")
    assert run is not None
    assert "kept" not in run.advice
    assert "stream" not in run.title
    assert "STREAM_TIMEOUT" not in run.advice


@pytest.mark.parametrize(
    ("mode", "error_type", "words"),
    [
        ("stream", "hung_up", "STREAM_TIMEOUT"),
        ("stream", "interrupted", "costs again"),
        ("realtime", "interrupted", "Connect again"),
    ],
)
def test_of_a_stream_or_session_what_came_is_kept(mode: str, error_type: str, words: str):
    told = explain(failed(mode=mode, error_type=error_type), b"")
    assert told is not None
    assert "What came until then is kept" in told.advice
    assert words in told.advice


def test_a_content_policy_shows_though_the_code_is_an_ordinary_422():
    policy = {"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}
    told = explain(failed(error="Invalid status code: 422", error_code=422), body(policy))
    assert told is not None
    assert told.title == "The content was refused"


def test_uncertain_says_that_it_may_cost_and_is_never_repeated_by_itself():
    told = explain(FalRequest(status=Status.UNCERTAIN), b"")
    assert told is not None
    assert told.tone == "unknown"
    assert "never sent again by itself" in told.advice


def test_uncertain_says_how_it_is_looked_for_and_what_was_seen():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    row = FalRequest(status=Status.UNCERTAIN, due_at=at)
    told = explain(row, b"", [Observation(kind="list_unclear", source="list", note="two of them")])
    assert told is not None
    assert "looked for in fal's list" in told.search
    assert (told.found, told.looks_at) == ("two of them", at)
    quiet = explain(
        row,
        b"",
        [Observation(kind="list_read", source="list", note="fal's list can be read again.")],
    )
    assert quiet is not None
    assert quiet.found == ""


@pytest.mark.parametrize(
    ("options", "why"),
    [({}, "no longer looked for"), ({"store_io": False}, "cannot be looked for")],
)
def test_uncertain_says_why_it_is_not_looked_for(options: dict[str, Any], why: str):
    told = explain(FalRequest(status=Status.UNCERTAIN, options=options), b"")
    assert told is not None
    assert why in told.search
    assert told.looks_at is None


@pytest.mark.parametrize(
    "raw", [b"\xff", b"[1]", b'{"detail": [7, null, {"loc": 3}]}', b"[" * 9999]
)
def test_an_odd_answer_is_no_error_of_ours(raw):
    assert explain(failed(error_code=422), raw)


# --- every word that we write ---------------------------------------------------------------------


@pytest.mark.parametrize("error_type", ErrorType)
def test_every_error_type_of_ours_has_an_entry_of_its_own(error_type: ErrorType):
    assert error_type in KNOWN
    told = explain(failed(error_type=error_type, error="why"), b"")
    assert told is not None
    assert told.title != "It failed at fal"
    others = [KNOWN[other] for other in ErrorType if other is not error_type]
    assert KNOWN[error_type] not in others


WRITES = re.compile("error_type|CallEnded|_failed")


def words_written() -> Iterator[tuple[str, str]]:
    """Every error type that stands as a text in what may write one."""
    for path in under("requests_app/"):
        # What plays fal for others uses fal's own words.
        rooms = tuple(f"requests_app/{room}/" for room in ("fal", "sandbox", "localqueue"))
        # Parsing takes longest: of the others, few name one.
        if not path.startswith(rooms) and WRITES.search(text_of(path)):
            for node in nodes_of(path):
                yield from ((path, word) for word in _words_in(node))


def _words_in(node: ast.AST) -> Iterator[str]:
    found: list[ast.expr | None] = []
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        found += node.args[1:2] if name == "CallEnded" else []
        found += node.args[2:3] if name == "_failed" else []
        found += [keyword.value for keyword in node.keywords if keyword.arg == "error_type"]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        found += [
            told
            for key, told in pairs
            if isinstance(key, ast.Constant) and key.value == "error_type"
        ]
    for told in found:
        yield from (n.value for n in ast.walk(told or node)
                    if isinstance(n, ast.Constant) and isinstance(n.value, str) and re.fullmatch("[a-z_]+", n.value))  # fmt: skip


def test_no_error_type_is_written_that_is_not_in_the_enumeration():
    own = {*ErrorType, "error_type"}
    assert [(path, word) for path, word in words_written() if word not in own] == []


# --- the reason, and advice that fits it ----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "sentence", "title"),
    [
        ({"detail": {"type": "content_policy_violation", "msg": "Prompt was blocked"}}, "Prompt was blocked", "The content was refused"),
        ({"detail": "Your prompt violates our content policy"}, "Your prompt violates our content policy", "The content was refused"),
        ({"error": "The model ran out of credits upstream"}, "The model ran out of credits upstream", "A balance or quota is used up"),
        ("CUDA out of memory", "CUDA out of memory", "The model ran out of memory"),
        ({"message": "steps has to be below 50"}, "steps has to be below 50", "The input was not accepted"),
    ],
)  # fmt: skip
def test_the_reason_comes_first_and_the_advice_fits_it(answer: Any, sentence: str, title: str):
    row = failed(error="fal answered with HTTP 422.", error_code=422)
    told = explain(row, json.dumps(answer).encode())
    assert told is not None
    assert (told.sentence, told.title) == (sentence, title)


def test_given_up_says_that_its_outcome_is_unknown_and_that_it_may_cost_twice():
    told = explain(failed(error_type="given_up", error="ann gave up."), b'{"text": "late"}')
    assert told is not None
    assert (told.tone, told.title) == ("unknown", "Given up, outcome unknown")
    assert "may cost twice" in told.advice


def test_what_came_to_light_after_giving_up_is_told():
    late = Observation(kind="evidence", source="webhook", note="It completed at fal.")
    told = explain(failed(error_type="given_up", fal_request_id="r"), b"", [late])
    assert told is not None
    assert told.later == (late,)
    assert told.title == "Given up; fal has told more since"
    assert told.search == ""


def test_a_contradiction_after_any_failure_is_told():
    late = Observation(kind="contradiction", source="webhook", note="fal says otherwise now.")
    told = explain(
        failed(error_type="result_expired"), b'{"detail": [{"msg": "an output"}]}', [late]
    )
    assert told is not None
    assert told.later == (late,)
    assert told.fields == ()
