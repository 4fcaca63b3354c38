"""The judgement. Pure: evidence in, sentences about what is wrong out; none means the promise held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from tests.rig.evidence import ENDED, LIVE, AtFal, Evidence, Heard, Row

CONVERGED_S = 60.0  # after the last fault
PAGE_LATE_S = 10.0  # while Redis is gone, and after it has come back empty
TOLD_APART_S = 60.0  # submits of one input further apart than this have each their own time
A_MOMENT_S = 1.0  # between a look and the record of what it found
UNSENT = ("not_sent", "postponed")  # attempts that fal has not taken
SENT_AGAIN_AFTER = {"429"}  # fal's clear no: the only answer after which a machine may send again


def set_full(evidence: Evidence) -> Iterator[str]:
    """Every acknowledged request is kept and listed, and none appears that nobody wanted."""
    kept = {row.id for row in evidence.rows}
    listed = {seen[0] for op in evidence.operations("read_all") for seen in op.what["rows"]}
    acknowledged: dict[int, set[str]] = defaultdict(set)
    for op in evidence.operations("submit"):
        acknowledged[op.what["intent"]].add(op.what["id"])
    for intent, ids in acknowledged.items():
        if len(ids) > 1:
            yield f"intent {intent} became {len(ids)} requests"
        for public_id in ids - kept:
            yield f"intent {intent}: acknowledged as {public_id}, and lost"
        for public_id in (ids & kept) - listed:
            yield f"intent {intent}: {public_id} is kept but not listed"
    for body, count in Counter(row.body for row in evidence.rows).items():
        if count > 1:
            yield f"body {body[:8]}: {count} requests for one intent"
    invoked = {op.what["intent"] for op in evidence.operations("submit", "invoke")}
    if len(evidence.rows) > len(invoked):
        yield f"{len(evidence.rows)} requests for {len(invoked)} intents"


def taken_twice(evidence: Evidence) -> dict[str, int]:
    """Bodies that fal took more than once, and how often."""
    counts = Counter(entry.body for entry in evidence.ledger)
    return {body: count for body, count in counts.items() if count > 1}


def lost(evidence: Evidence) -> set[str]:
    """Public ids that were acknowledged and are in no row."""
    kept = {row.id for row in evidence.rows}
    return {op.what["id"] for op in evidence.operations("submit")} - kept


def at_most_once(evidence: Evidence) -> Iterator[str]:
    """fal took no body twice, and no machine sent one again that fal may have taken."""
    for body, count in taken_twice(evidence).items():
        yield f"body {body[:8]}: taken by fal {count} times"
    sent: dict[str, list[str]] = defaultdict(list)
    for post in evidence.posts:
        if post.kind in ("submit", "run"):
            sent[post.key].append(post.fault)
    for body, faults in sent.items():
        if unsure := [fault for fault in faults[:-1] if fault not in SENT_AGAIN_AFTER]:
            yield f"body {body[:8]}: sent again after {', '.join(unsure)}"


def register(evidence: Evidence) -> Iterator[str]:
    """Reads of one reader: versions never fall, and an end is the same in every later read.

    Only the answer of a failed call may come later: a worker that stood still stores what it has paid for.
    """
    last: dict[tuple[str, str], list[object]] = {}
    ends: dict[str, list[object]] = {}
    for op in evidence.history:
        if op.f not in ("read", "read_all") or op.type != "ok":
            continue
        for public_id, *state in op.what["rows"]:
            before = last.get((op.who, public_id))
            if before and state[1] < before[1]:
                yield f"{public_id}: version {state[1]} was read after {before[1]}"
            last[op.who, public_id] = state
            if state[0] in ENDED:
                end = [state[0], *state[2:]]
                first = ends.setdefault(public_id, end)
                if first != end and not _adds_the_answer(first, end):
                    yield f"{public_id}: ended as {first}, then as {end}"
                ends[public_id] = end
            elif public_id in ends:
                yield f"{public_id}: ended as {ends[public_id]}, then {state[0]}"
    for row in evidence.rows:
        if row.id in ends and row.status != ends[row.id][0]:
            yield f"{row.id}: was read as {ends[row.id][0]} and is {row.status}"


def _adds_the_answer(before: list[object], after: list[object]) -> bool:
    """Return whether the end of a failed row differs in its answer alone, which was not there before."""
    status, ended_at, size, error = before
    return (
        status == "failed"
        and size == 0
        and [after[0], after[1], after[3]] == [status, ended_at, error]
    )


def liveness(evidence: Evidence) -> Iterator[str]:
    """Everything has ended. Only what fal does not know, or what cannot be told apart, may stay uncertain."""
    for row in unsettled(evidence.rows, evidence.at_fal):
        yield f"{row.id}: still {row.status}"


def unsettled(rows: list[Row], at_fal: list[AtFal]) -> list[Row]:
    """Live rows, but for the uncertain of which nothing can tell what became of them.

    Their POST is unknown to fal, or another row's input is the same.
    """
    known = {request.body for request in at_fal}
    alike = Counter(row.value for row in rows if row.value)

    def is_open(row: Row) -> bool:
        return row.status != "uncertain" or (row.body in known and alike[row.value] < 2)

    return [row for row in rows if row.status in LIVE and is_open(row)]


def truth(evidence: Evidence) -> Iterator[str]:
    """Every end is the one fal knows, with the very output; "cancelled" is never only ours."""
    at_fal = {request.body: request for request in evidence.at_fal}
    taken = {entry.body for entry in evidence.ledger}
    asked = {op.what["id"] for op in evidence.operations("cancel", "invoke")}
    for row in evidence.rows:
        if not row.is_ended:
            continue
        if row.status == "cancelled" and row.id not in asked:
            yield f"{row.id}: cancelled, but nobody asked"
        if row.mode != "queue":
            yield from _direct_truth(row, row.body in taken)
        elif request := at_fal.get(row.body):
            yield from _queued_truth(row, request)
        elif row.status != "cancelled" or row.body in taken:
            yield f"{row.id}: {row.status}, but fal knows nothing of it"


def _queued_truth(row: Row, request: AtFal) -> Iterator[str]:
    if row.fal_request_id and row.fal_request_id != request.request_id:
        yield f"{row.id}: bears the id of another request"
    if row.status != request.end:
        yield f"{row.id}: {row.status}, but at fal it is {request.end or 'still open'}"
    elif row.status == "completed" and row.output != request.output:
        yield f"{row.id}: completed with another output than fal's"


def _direct_truth(row: Row, taken: bool) -> Iterator[str]:
    if row.status == "completed" and not taken:
        yield f"{row.id}: completed, but fal never took it"


def recognition(evidence: Evidence) -> Iterator[str]:
    """What was found in fal's list can have been nothing else: nothing alike was under way about then.

    A guess is wrong also when it happens to be right.
    """
    values = {row.pk: row.value for row in evidence.rows if row.value}
    heard: dict[int, list[Heard]] = defaultdict(list)
    for one in evidence.heard:
        heard[one.pk].append(one)
    for found in (one for one in evidence.heard if one.kind == "found"):
        own = _sent_at(heard[found.pk], before=found.heard_at)
        for pk, value in values.items():
            if pk == found.pk or value != values.get(found.pk):
                continue
            other = _sent_at(heard[pk], before=found.heard_at - A_MOMENT_S)
            if own is not None and other is not None and abs(own - other) < TOLD_APART_S:
                yield f"row {found.pk}: taken for a listed request that may be row {pk}'s"


def _sent_at(heard: list[Heard], *, before: float) -> float | None:
    """When it was sent last, unless that came to nothing for certain."""
    attempts = [one for one in heard if one.kind in ("sent", *UNSENT) and one.heard_at < before]
    return attempts[-1].heard_at if attempts and attempts[-1].kind == "sent" else None


def convergence(evidence: Evidence) -> Iterator[str]:
    """What was still open after the last fault was found within a minute."""
    if (late := converged_after_s(evidence)) > CONVERGED_S:
        yield f"the last change came {late:.0f} s after the last fault"


def converged_after_s(evidence: Evidence) -> float:
    """Seconds from a last fault to the last row of before it that ended or became uncertain.

    The end of an uncertain one is counted from when it became so: then the search for it began.
    """
    settled: dict[int, list[float]] = defaultdict(list)
    created: dict[int, float] = {}
    for one in evidence.heard:
        created.setdefault(one.pk, one.heard_at)
        if _settles(one):
            settled[one.pk].append(one.heard_at)
    return max(
        (
            at - max(before, heal.t)
            for heal in evidence.operations("heal")
            for pk, times in settled.items()
            for before, at in pairwise([0.0, *times])
            if created[pk] <= heal.t <= at
        ),
        default=0.0,
    )


def _settles(heard: Heard) -> bool:
    return heard.kind in ("ended", "uncertain")


def effects(evidence: Evidence) -> Iterator[str]:
    """One observation per fact, the newest one is the row's version, and no POST without one."""
    heard: dict[int, list[Heard]] = defaultdict(list)
    for one in evidence.heard:
        heard[one.pk].append(one)
    posts = Counter(post.key for post in evidence.posts if post.kind in ("submit", "run"))
    for row in evidence.rows:
        yield from _row_effects(row, heard[row.pk], posts[row.body])


def _row_effects(row: Row, heard: list[Heard], posts: int) -> Iterator[str]:
    kinds = Counter(one.kind for one in heard)
    if kinds["created"] != 1:
        yield f"{row.id}: created {kinds['created']} times"
    if kinds["ended"] != row.is_ended:
        yield f"{row.id}: is {row.status} and has {kinds['ended']} ends on record"
    if kinds["sent"] < posts:
        yield f"{row.id}: {posts} POSTs, of which {kinds['sent']} are on record"
    if heard and (heard[-1].id, heard[-1].status) != (row.seq, row.status):
        yield f"{row.id}: the last observation does not tell the row's state"
    ends = [number for number, one in enumerate(heard) if one.kind == "ended"]
    if ends and {one.status for one in heard[ends[0] :]} != {row.status}:
        yield f"{row.id}: moved after its end"


def acknowledged(evidence: Evidence) -> Iterator[str]:
    """A webhook that was answered with 2xx is on record."""
    answered = {
        post.key
        for post in evidence.posts
        if post.kind == "webhook" and post.status is not None and 200 <= post.status < 300
    }
    for public_id in sorted(answered - evidence.delivered):
        yield f"{public_id}: its webhook was acknowledged and is not on record"


def live_pages(evidence: Evidence) -> Iterator[str]:
    """A list that was open when Redis went shows each change of that time soon all the same."""
    for name, late in pages_late_s(evidence).items():
        if too_late := [one for one in late if one > PAGE_LATE_S]:
            yield f"{name}: {len(too_late)} of {len(late)} changes late, up to {max(late):.0f} s"


def pages_late_s(evidence: Evidence) -> dict[str, list[float]]:
    """By open page: how late it learnt of each change of the time without Redis.

    What it had not learnt at the end of that time was at least so late.
    """
    gone, back = evidence.operations("redis_gone"), evidence.operations("redis_back")
    if not (gone and back):
        return {}
    ids = {row.pk: row.id for row in evidence.rows}
    changes = [one for one in evidence.heard if gone[0].t < one.heard_at < back[0].t]
    learnt: dict[str, dict[str, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
    for op in evidence.operations("page"):
        rows = learnt[op.who]  # also of a page that was opened and never learnt of anything
        for public_id, seq in op.what["rows"]:
            rows[public_id].append((op.t, seq))
    return {
        name: [_late(change, rows[ids[change.pk]], back[0].t) for change in changes]
        for name, rows in learnt.items()
    }


def _late(change: Heard, learnt: list[tuple[float, int]], end: float) -> float:
    at = min((t for t, seq in learnt if seq >= change.id), default=end)
    return max(0.0, at - change.heard_at)


CHECKERS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "set-full": set_full,
    "at-most-once": at_most_once,
    "register": register,
    "liveness": liveness,
    "truth": truth,
    "recognition": recognition,
    "convergence": convergence,
    "effects": effects,
    "acknowledged": acknowledged,
    "live-pages": live_pages,
}


def judge(
    evidence: Evidence, checkers: Mapping[str, Callable[[Evidence], Iterator[str]]] = CHECKERS
) -> dict[str, list[str]]:
    """What each checker objects to; an empty mapping is a pass."""
    found = {name: list(check(evidence)) for name, check in checkers.items()}
    return {name: problems for name, problems in found.items() if problems}
