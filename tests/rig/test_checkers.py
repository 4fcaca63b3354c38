"""The checkers pass what is right and find each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.rig.checkers import CHECKERS, converged_after_s, judge
from tests.rig.evidence import Accepted, AtFal, Evidence, Heard, Post, Row
from tests.rig.history import Operation


def read(status: str, seq: int, t: float = 3, f: str = "read") -> Operation:
    ended_at = "12:00" if status == "completed" else None
    return shown(status, seq, t, f, ended_at=ended_at)


def shown(
    status: str,
    seq: int,
    t: float,
    f: str = "read",
    *,
    ended_at: str | None = "12:00",
    size: int = 2,
) -> Operation:
    return Operation(t, "reader", f, "ok", {"rows": [["id-1", status, seq, ended_at, size, ""]]})


def failed_and_then(*reads: Operation) -> Evidence:
    """The history of a row that failed without an answer, and was read again."""
    rows = row(status="failed")
    return having(history=[*GOOD.history[:4], shown("failed", 4, 7, size=0), *reads], rows=rows)


GOOD = Evidence(
    history=[
        Operation(1, "client", "submit", "invoke", {"intent": 1}),
        Operation(2, "client", "submit", "ok", {"intent": 1, "id": "id-1"}),
        read("in_queue", 3, 3),
        Operation(5, "nemesis", "heal", "ok"),
        read("completed", 4, 7),
        read("completed", 4, 8, "read_all"),
    ],
    rows=[Row(1, "id-1", "completed", "queue", 4, "body-1", "fal-1", output="out-1")],
    heard=[
        Heard(1, 1, "created", "person", "pending", 1),
        Heard(2, 1, "sent", "us", "submitting", 2),
        Heard(3, 1, "accepted", "submit_reply", "in_queue", 3),
        Heard(4, 1, "ended", "poll", "completed", 6),
    ],
    delivered=frozenset({"id-1"}),
    ledger=[Accepted("submit", "fal-1", "body-1")],
    at_fal=[AtFal("fal-1", "body-1", 200, "out-1")],
    posts=[Post(2, "submit", "body-1", "pass", 200), Post(5, "webhook", "id-1", "pass", 200)],
)
ROW = GOOD.rows[0]


def having(**changes: object) -> Evidence:
    return replace(GOOD, **changes)  # type: ignore[arg-type]


def row(**changes: object) -> list[Row]:
    return [replace(ROW, **changes)]  # type: ignore[arg-type]


def also(*operations: Operation) -> Evidence:
    return having(history=[*GOOD.history, *operations])


def submitted(type: str, **what: object) -> Operation:
    return Operation(2, "client", "submit", type, {"intent": 1, **what})


def ended_twice() -> list[Heard]:
    return [*GOOD.heard, Heard(5, 1, "ended", "webhook", "failed", 7)]


def without_redis(told_at: float | None) -> Evidence:
    """Redis is gone while the row ends, at 6; a page is open that learns of it then, or never."""
    rows = [] if told_at is None else [["id-1", 4]]
    return also(
        Operation(5.5, "nemesis", "redis_gone", "ok"),
        Operation(told_at or 7, "page-1", "page", "ok", {"rows": rows}),
        Operation(30, "nemesis", "redis_back", "ok"),
    )


def found(*, sent: float, then: str = "accepted") -> Evidence:
    """The row was sent at 2 and found at 9; another of its value was sent as well."""
    rows = [replace(ROW, value="value-1"), replace(ROW, pk=2, id="id-2", value="value-1")]
    other = [Heard(5, 2, "sent", "us", "submitting", sent), Heard(6, 2, then, "us", "", sent + 1)]
    own = [*GOOD.heard[:2], Heard(7, 1, "found", "list", "in_progress", 9)]
    return having(rows=rows, heard=[*own, *other])


WRONG: list[tuple[str, str, Callable[[], Evidence]]] = [
    ("set-full", "an acknowledged request is lost", lambda: having(rows=[])),
    ("set-full", "one intent became two", lambda: also(submitted("ok", id="id-2"))),
    ("set-full", "two rows of one body", lambda: having(rows=[ROW, replace(ROW, id="id-2")])),
    ("set-full", "a row nobody wanted", lambda: having(rows=[ROW, replace(ROW, body="other")])),
    ("set-full", "kept but not listed", lambda: having(history=GOOD.history[:-1])),
    ("at-most-once", "taken twice", lambda: having(ledger=GOOD.ledger * 2)),
    (
        "at-most-once",
        "sent again though fal heard nothing of the first",
        lambda: having(posts=[Post(2, "submit", "body-1", "reset_before", None), *GOOD.posts]),
    ),
    ("register", "a version fell", lambda: also(read("completed", 3))),
    ("register", "an end was taken back", lambda: also(read("in_queue", 5))),
    ("register", "an output changed", lambda: also(shown("completed", 5, 9, size=3))),
    (
        "register",
        "an answer that came after the end has changed",
        lambda: failed_and_then(shown("failed", 5, 8), shown("failed", 6, 9, size=3)),
    ),
    (
        "register",
        "another time of the end",
        lambda: failed_and_then(shown("failed", 5, 8, ended_at="12:01")),
    ),
    (
        "register",
        "the database has another end than was read",
        lambda: having(rows=row(status="failed")),
    ),
    ("liveness", "a row waits for ever", lambda: having(rows=row(status="in_queue"))),
    (
        "liveness",
        "uncertain, though fal would have told",
        lambda: having(rows=row(status="uncertain")),
    ),
    ("truth", "another end than fal's", lambda: having(rows=row(status="failed"))),
    ("truth", "cancelled by us alone", lambda: having(rows=row(status="cancelled"))),
    ("truth", "another output", lambda: having(rows=row(output="out-2"))),
    ("truth", "the id of another", lambda: having(rows=row(fal_request_id="fal-2"))),
    ("truth", "ended while fal works", lambda: having(at_fal=[AtFal("fal-1", "body-1", None)])),
    ("truth", "an end fal knows nothing of", lambda: having(at_fal=[])),
    (
        "truth",
        "a direct call nobody cancelled",
        lambda: having(rows=row(mode="run", status="cancelled")),
    ),
    (
        "truth",
        "a cancelled one nobody asked to cancel",
        lambda: having(rows=row(status="cancelled"), at_fal=[AtFal("fal-1", "body-1", 499)]),
    ),
    ("recognition", "taken for one that may be another's", lambda: found(sent=3)),
    (
        "convergence",
        "found too late",
        lambda: having(heard=[*GOOD.heard[:-1], replace(GOOD.heard[-1], heard_at=66)]),
    ),
    ("effects", "an end without observation", lambda: having(heard=GOOD.heard[:-1])),
    ("effects", "two ends", lambda: having(heard=ended_twice(), rows=row(seq=5))),
    ("effects", "created twice", lambda: having(heard=[GOOD.heard[0], *GOOD.heard])),
    ("effects", "a POST that left no trace", lambda: having(posts=GOOD.posts[:1] * 2)),
    ("effects", "the version is not the newest", lambda: having(rows=row(seq=3))),
    ("live-pages", "a change came late to an open page", lambda: without_redis(told_at=17)),
    ("live-pages", "an open page never learnt of it", lambda: without_redis(told_at=None)),
    ("acknowledged", "200 for a webhook that was lost", lambda: having(delivered=frozenset())),
]


def test_good_evidence_passes() -> None:
    assert judge(GOOD) == {}


@pytest.mark.parametrize(("checker", "what", "make"), WRONG, ids=[f"{c}: {w}" for c, w, _ in WRONG])
def test_it_finds(checker: str, what: str, make: Callable[[], Evidence]) -> None:
    assert list(CHECKERS[checker](make()))


def test_a_failed_call_may_get_its_answer_later_and_keep_it() -> None:
    answered = failed_and_then(shown("failed", 5, 8), shown("failed", 6, 9))
    assert list(CHECKERS["register"](answered)) == []


def test_every_checker_is_shown_to_object() -> None:
    assert {checker for checker, _, _ in WRONG} == CHECKERS.keys()


def test_uncertain_is_right_where_fal_knows_nothing() -> None:
    posts = [Post(2, "submit", "body-1", "reset_before", None)]
    unknown = having(rows=row(status="uncertain", seq=3), ledger=[], at_fal=[], posts=posts)
    assert list(CHECKERS["liveness"](unknown)) == []


def test_uncertain_is_right_where_two_want_the_same() -> None:
    other = replace(ROW, id="id-2", body="body-2", value="value-1")
    lost = replace(ROW, status="uncertain", value="value-1")
    assert list(CHECKERS["liveness"](having(rows=[lost, other]))) == []
    assert list(CHECKERS["liveness"](having(rows=[lost, replace(other, value="value-2")])))


def test_an_uncertain_request_that_is_found_is_in_time_from_when_it_became_uncertain() -> None:
    lost = [*GOOD.heard[:2], Heard(3, 1, "uncertain", "us", "uncertain", 50)]
    found = [*lost, Heard(4, 1, "found", "list", "in_progress", 90)]
    ended = [*found, Heard(5, 1, "ended", "poll", "completed", 92)]
    assert converged_after_s(having(heard=lost)) == 45
    assert converged_after_s(having(heard=ended)) == 45
    assert converged_after_s(having(heard=[*ended[:-1], replace(ended[-1], heard_at=120)])) == 70


@pytest.mark.parametrize(
    "right",
    [found(sent=3, then="postponed"), found(sent=8.5), found(sent=-70)],
    ids=["it was never taken", "it was sent after the look", "long before"],
)
def test_what_another_cannot_have_made_may_be_found(right: Evidence) -> None:
    assert list(CHECKERS["recognition"](right)) == []


def test_what_fal_clearly_refused_may_be_sent_again() -> None:
    refused = Post(1, "submit", "body-1", "429", None)
    assert list(CHECKERS["at-most-once"](having(posts=[refused, *GOOD.posts]))) == []


def test_what_was_cancelled_before_it_was_sent_needs_no_word_of_fals() -> None:
    rows = row(status="cancelled", fal_request_id="")
    asked = Operation(2, "client", "cancel", "invoke", {"id": "id-1"})
    unsent = having(history=[*GOOD.history, asked], rows=rows, ledger=[], at_fal=[])
    assert list(CHECKERS["truth"](unsent)) == []


def test_a_page_that_asks_now_and_then_is_soon_enough() -> None:
    assert judge(without_redis(told_at=15)) == {}


def test_convergence_is_counted_from_the_last_fault() -> None:
    assert converged_after_s(GOOD) == 1.0
