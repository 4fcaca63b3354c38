"""The judgement of calls through the gateway. Pure, as `checkers`: evidence in, sentences out.

A call is known by the digest of its body, which no other call has.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.rig import checkers
from tests.rig.checkers import liveness
from tests.rig.evidence import AtFal, Evidence, Row
from tests.rig.history import Operation

CALLS = ("queue", "run", "stream")
PASSING = ("gateway", "web")  # kinds of processes that pass calls on
# A stream that ends shortly before its process is killed may be recorded as broken off: its last events were
# passed on, and not stored yet.
UNSTORED_S = 2.0
NOTED_S = 1.0  # how much later than its beginning a kill is noted at the most


def body_of(op: Operation) -> str:
    """Return the digest by which fal, the proxy and our rows know the call."""
    return hashlib.sha256(op.what["body"].encode()).hexdigest()


def answered(evidence: Evidence) -> list[Operation]:
    """Return the calls whose answer of fal's reached the caller whole, refusals not among them."""
    told = [op for f in CALLS for op in evidence.operations(f)]
    return [op for op in told if op.what["code"] < 400]


def retrievable(evidence: Evidence) -> Iterator[str]:
    """Whatever fal answered, its caller reads afterwards: fal's own end, byte for byte."""
    at_fal = {request.request_id: request for request in evidence.at_fal}
    looks = {op.what["id"]: op.what for op in evidence.operations("look")}
    for op in answered(evidence):
        if op.f != "queue":
            continue
        request_id = op.what["fal_id"]
        request, look = at_fal.get(request_id), looks.get(request_id)
        if request is None:
            yield f"{request_id}: the caller was given an id that fal does not know"
        elif look is None:
            yield f"{request_id}: nothing was read of it afterwards"
        elif (look["status"], look["code"]) != ("COMPLETED", request.code):
            yield f"{request_id}: reads as {look['status']} {look['code']}, at fal {request.code}"
        elif look["output"] != request.output:
            yield f"{request_id}: reads with another result than fal's"


def recorded(evidence: Evidence) -> Iterator[str]:
    """Every call whose answer reached the caller has a row, under fal's id."""
    rows = {row.body: row for row in evidence.rows}
    for op in answered(evidence):
        row = rows.get(body_of(op))
        if row is None:
            yield f"intent {op.what['intent']} ({op.f}): answered at {op.t:.3f}, and no row has it"
        elif row.mode != op.f:
            yield f"{row.id}: recorded as {row.mode}, was {op.f}"
        elif row.fal_request_id != op.what["fal_id"]:
            yield f"{row.id}: has fal's id {row.fal_request_id}, was {op.what['fal_id']}"


def recorded_once(evidence: Evidence) -> Iterator[str]:
    """No two rows are of one call, and none of a call that no caller made."""
    for name, value_of in (("body", _body), ("fal's id", _fal_id)):
        for value, count in Counter(filter(None, map(value_of, evidence.rows))).items():
            if count > 1:
                yield f"{name} {value[:12]}: {count} rows"
    made = {body_of(op) for f in CALLS for op in evidence.operations(f, "invoke")}
    for row in evidence.rows:
        if row.body not in made:
            yield f"{row.id}: of a call that was never made"
    kinds: dict[int, Counter[str]] = defaultdict(Counter)
    for one in evidence.heard:
        kinds[one.pk][one.kind] += 1
    for row in evidence.rows:
        if kinds[row.pk]["created"] != 1 or kinds[row.pk]["ended"] != row.is_ended:
            yield f"{row.id}: {row.status}, on record {dict(kinds[row.pk])}"


def _body(row: Row) -> str:
    return row.body


def _fal_id(row: Row) -> str:
    return row.fal_request_id


def sent_once(evidence: Evidence) -> Iterator[str]:
    """Callers sent each body once, so fal took none twice and the wire saw none twice."""
    for body, count in Counter(entry.body for entry in evidence.ledger).items():
        if count > 1:
            yield f"body {body[:12]}: taken by fal {count} times"
    posts = Counter(post.key for post in evidence.posts if post.kind in ("submit", "run"))
    for body, count in posts.items():
        if count > 1:
            yield f"body {body[:12]}: sent to fal {count} times"


def ends(evidence: Evidence) -> Iterator[str]:
    """Every end is fal's, with the very output; of a direct call that was answered, what its caller has."""
    at_fal = {request.body: request for request in evidence.at_fal}
    direct = {body_of(op): op for op in answered(evidence) if op.f != "queue"}
    kills = [op.t for op in evidence.operations("kill") if op.what["kind"] in PASSING]
    for row in evidence.rows:
        if not row.is_ended:
            continue
        if row.mode == "queue":
            yield from _queued_end(row, at_fal.get(row.body))
        elif (op := direct.get(row.body)) and not _cut_short(row, op, kills):
            yield from _direct_end(row, op)


def _cut_short(row: Row, op: Operation, kills: list[float]) -> bool:
    """Return whether the stream ended in the moment before a kill."""
    is_near = any(-NOTED_S < kill - op.t < UNSTORED_S + NOTED_S for kill in kills)
    return row.mode == "stream" and row.status == "failed" and is_near


def _queued_end(row: Row, request: AtFal | None) -> Iterator[str]:
    if request is None:
        yield f"{row.id}: {row.status}, but fal knows nothing of it"
    elif row.status != request.end:
        yield f"{row.id}: {row.status}, but at fal it is {request.end or 'still open'}"
    elif row.status == "completed" and row.output != request.output:
        yield f"{row.id}: completed with another output than fal's"


def _direct_end(row: Row, op: Operation) -> Iterator[str]:
    if row.status != "completed":
        yield f"{row.id}: {row.status}, though its caller had the whole answer at {op.t:.3f}"
    elif op.f == "run" and row.output != op.what["output"]:
        yield f"{row.id}: completed with another output than its caller's"


CHECKERS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "retrievable": retrievable,
    "recorded": recorded,
    "recorded-once": recorded_once,
    "sent-once": sent_once,
    "ends": ends,
    "liveness": liveness,
}


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """What each of these objects to; an empty mapping is a pass."""
    return checkers.judge(evidence, CHECKERS)
