"""The gateway's checkers pass what is right and find each thing that can be wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.rig.evidence import Accepted, AtFal, Evidence, Heard, Post, Row
from tests.rig.gateway_checkers import CHECKERS, judge
from tests.rig.history import Operation


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def call(f: str, type: str, **what: Any) -> Operation:
    return Operation(2, "client", f, type, {"intent": f, "mode": f, "body": f"body of {f}", **what})


def answer(f: str, **what: Any) -> Operation:
    return call(f, "ok", **{"code": 200, "fal_id": f"fal-{f}", "output": f"out-{f}", **what})


LOOK: dict[str, Any] = {"id": "fal-queue", "status": "COMPLETED", "code": 200, "output": "out-fal"}


def look(**what: Any) -> Operation:
    return Operation(9, "look", "look", "ok", {**LOOK, **what})


GOOD = Evidence(
    history=[
        *(one for f in ("queue", "run", "stream") for one in (call(f, "invoke"), answer(f))),
        look(),
    ],
    rows=[
        Row(1, "id-1", "completed", "queue", 2, digest("body of queue"), "fal-queue", "out-fal"),
        Row(2, "id-2", "completed", "run", 4, digest("body of run"), "fal-run", "out-run"),
        Row(3, "id-3", "completed", "stream", 6, digest("body of stream"), "fal-stream", "any"),
    ],
    heard=[
        Heard(2 * pk + end, pk, "ended" if end else "created", "gateway", "completed", 3)
        for pk in (1, 2, 3)
        for end in (0, 1)
    ],
    ledger=[Accepted(f, f"fal-{f}", digest(f"body of {f}")) for f in ("queue", "run", "stream")],
    at_fal=[AtFal("fal-queue", digest("body of queue"), 200, "out-fal")],
    posts=[Post(2, "submit", digest("body of queue"), "pass", 200)],
)
QUEUED, RUN, STREAM = GOOD.rows


def having(**changes: Any) -> Evidence:
    return replace(GOOD, **changes)


def rows(number: int, **changes: Any) -> Evidence:
    """With one row changed."""
    changed = list(GOOD.rows)
    changed[number] = replace(changed[number], **changes)
    return having(rows=changed)


def looked(*looks: Operation) -> Evidence:
    return having(history=[*GOOD.history[:-1], *looks])


WRONG: list[tuple[str, str, Callable[[], Evidence]]] = [
    ("retrievable", "its caller finds nothing", lambda: looked()),
    ("retrievable", "its caller is told of no end", lambda: looked(look(status="IN_QUEUE"))),
    ("retrievable", "its caller is refused", lambda: looked(look(code=404))),
    ("retrievable", "its caller reads other bytes", lambda: looked(look(output="out-2"))),
    ("retrievable", "an id that is not fal's", lambda: having(at_fal=[])),
    ("recorded", "a submit is lost", lambda: having(rows=[RUN, STREAM])),
    ("recorded", "a run is lost", lambda: having(rows=[QUEUED, STREAM])),
    ("recorded", "a stream is lost", lambda: having(rows=[QUEUED, RUN])),
    ("recorded", "under another id", lambda: rows(0, fal_request_id="fal-2")),
    ("recorded", "a direct call without fal's id", lambda: rows(1, fal_request_id="")),
    ("recorded", "a stream as a run", lambda: rows(2, mode="run")),
    ("recorded-once", "two rows of one call", lambda: having(rows=[*GOOD.rows, QUEUED])),
    (
        "recorded-once",
        "two rows of one id of fal's",
        lambda: having(rows=[*GOOD.rows, replace(QUEUED, body=digest("another"))]),
    ),
    ("recorded-once", "of a call that was never made", lambda: rows(1, body=digest("another"))),
    ("recorded-once", "an end that is told twice", lambda: having(heard=GOOD.heard * 2)),
    ("recorded-once", "an end that is not told", lambda: having(heard=GOOD.heard[:-1])),
    ("sent-once", "fal took it twice", lambda: having(ledger=[*GOOD.ledger, GOOD.ledger[0]])),
    ("sent-once", "the wire saw it twice", lambda: having(posts=GOOD.posts * 2)),
    ("ends", "another end than fal's", lambda: rows(0, status="failed")),
    ("ends", "another output than fal's", lambda: rows(0, output="out-2")),
    ("ends", "an end of what fal does not know", lambda: having(at_fal=[])),
    ("ends", "ended while fal works", lambda: having(at_fal=[replace(GOOD.at_fal[0], code=None)])),
    ("ends", "failed, though its caller has the answer", lambda: rows(1, status="failed")),
    ("ends", "a stream that failed, though it came whole", lambda: rows(2, status="failed")),
    ("ends", "another output than its caller's", lambda: rows(1, output="out-2")),
    ("liveness", "a row waits for ever", lambda: rows(0, status="in_queue")),
]


def test_good_evidence_passes() -> None:
    assert judge(GOOD) == {}


@pytest.mark.parametrize(("checker", "what", "make"), WRONG, ids=[f"{c}: {w}" for c, w, _ in WRONG])
def test_it_finds(checker: str, what: str, make: Callable[[], Evidence]) -> None:
    assert list(CHECKERS[checker](make()))


def test_every_checker_is_shown_to_object() -> None:
    assert {checker for checker, _, _ in WRONG} == CHECKERS.keys()


def test_what_its_caller_never_heard_of_may_be_recorded_or_not() -> None:
    unheard = [call("run", "invoke", body="other"), call("run", "info", body="other")]
    taken = [*GOOD.ledger, Accepted("run", "fal-2", digest("other"))]
    unrecorded = having(history=[*GOOD.history, *unheard], ledger=taken)
    assert judge(unrecorded) == {}
    row = Row(4, "id-4", "failed", "run", 8, digest("other"), "fal-2")
    heard = [Heard(8 + end, 4, "ended" if end else "created", "us", "failed", 3) for end in (0, 1)]
    assert judge(replace(unrecorded, rows=[*GOOD.rows, row], heard=[*GOOD.heard, *heard])) == {}


@pytest.mark.parametrize(
    ("number", "seconds", "is_right"), [(2, 1, True), (2, 9, False), (1, 1, False)]
)
def test_a_stream_alone_may_end_unrecorded_in_the_moment_before_a_kill(
    number: int, seconds: float, is_right: bool
) -> None:
    kill = Operation(2 + seconds, "nemesis", "kill", "ok", {"kind": "gateway"})
    failed = rows(number, status="failed")
    assert is_right != bool(judge(replace(failed, history=[*failed.history, kill])))


def test_what_fal_refused_needs_no_row_of_an_end() -> None:
    refused = [call("run", "invoke", body="bad"), answer("run", body="bad", code=422)]
    assert judge(having(history=[*GOOD.history, *refused])) == {}
