"""What came in place of a paid result: fetched again, believed, or the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from requests_app.fal.error_bodies import ErrorBody
from requests_app.fal.reports import Result, StatusReport
from requests_app.models import Status
from requests_app.rules.paid_result import (
    DENIALS_OF_RESULT,
    KEPT_AT_LEAST,
    KEPT_AT_MOST,
    SAME_BEFORE_BELIEVED,
    Doubt,
    Doubts,
    completed_by,
    ended_by,
    judge_denial,
    judge_doubt,
)
from requests_app.rules.transitions import CallEnded, Gone

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DONE = StatusReport("COMPLETED")
WRONG = StatusReport(
    "COMPLETED", error="Invalid status code: 503", error_type="runner_disconnected"
)
FAILED = Result(503, {}, "application/json", b'{"detail": "x"}', ErrorBody("x"))
EMPTY = Result(200, {}, "", b"")
OF_FAL = Doubt("It failed.", 503, is_from_fal=True, believed=FAILED)
OF_A_PROXY = Doubt("It failed.", 502, believed=FAILED)
NOT_YET = Doubt("It is still in progress.", 0)


def doubts(alike: int = 1, count: int = 1, age: timedelta = timedelta()) -> Doubts:
    return Doubts(max(count, alike), alike, NOW - age)


def test_one_answer_is_never_the_end_unless_the_status_names_an_error():
    for doubt in (OF_FAL, OF_A_PROXY, NOT_YET):
        assert judge_doubt(doubt, doubts(), DONE, now=NOW) is None


def test_fals_own_answer_is_believed_when_it_never_changes():
    before, then = doubts(SAME_BEFORE_BELIEVED - 1), doubts(SAME_BEFORE_BELIEVED)
    assert judge_doubt(OF_FAL, before, DONE, now=NOW) is None
    assert judge_doubt(OF_FAL, then, DONE, now=NOW) is FAILED
    empty = Doubt("It holds nothing.", 200, is_from_fal=True, believed=EMPTY)
    assert judge_doubt(empty, then, DONE, now=NOW) is EMPTY


@pytest.mark.parametrize("doubt", [OF_FAL, OF_A_PROXY, NOT_YET])
def test_answers_that_change_or_are_not_fals_are_believed_at_no_number(doubt: Doubt):
    told = Doubts(1000, 1, NOW - KEPT_AT_MOST + timedelta(seconds=1))
    assert judge_doubt(doubt, told, DONE, now=NOW) is None


@pytest.mark.parametrize("doubt", [OF_FAL, OF_A_PROXY, NOT_YET])
def test_when_fal_keeps_it_no_longer_the_request_fails_by_a_name_of_its_own(doubt: Doubt):
    end = judge_doubt(doubt, doubts(age=KEPT_AT_MOST), DONE, now=NOW)
    if isinstance(end, CallEnded):
        assert (end.status, end.error_type) == (Status.FAILED, "result_unreadable")
        assert doubt.sentence in end.sentence
    else:
        assert end is not None and end.error is not None
        assert end.error.error_type == "result_unreadable"
        assert end.body == FAILED.body  # what came is kept
        assert doubt.sentence in end.error.detail


def test_an_error_that_the_status_names_is_the_end_as_soon_as_its_body_comes():
    for doubt in (OF_FAL, Doubt("", 503, believed=FAILED)):
        end = judge_doubt(doubt, doubts(), WRONG, now=NOW)
        assert isinstance(end, Result)
        assert end.error == ErrorBody("x", error_type="runner_disconnected")


def test_an_error_that_the_status_names_ends_it_without_its_body_after_a_while():
    assert judge_doubt(OF_A_PROXY, doubts(), WRONG, now=NOW) is None
    end = judge_doubt(OF_A_PROXY, doubts(count=SAME_BEFORE_BELIEVED), WRONG, now=NOW)
    assert end == CallEnded(Status.FAILED, "runner_disconnected", "Invalid status code: 503", 503)


def test_the_status_tells_what_the_result_does_not():
    told = completed_by(Result(422, {}, "", b"", ErrorBody("fal answered with HTTP 422.")),
                        StatusReport("COMPLETED", error="Prompt was blocked", error_type="policy"))  # fmt: skip
    assert told.error == ErrorBody("Prompt was blocked", error_type="policy")
    own = ErrorBody("no cat", error_type="own")
    assert completed_by(Result(422, {}, "", b"", own), WRONG).error == own
    assert completed_by(EMPTY, WRONG) is EMPTY


@pytest.mark.parametrize(
    ("denials", "since_end", "is_cancelled", "is_gone"),
    [
        (DENIALS_OF_RESULT, KEPT_AT_MOST, False, False),
        (DENIALS_OF_RESULT + 1, timedelta(seconds=40), False, False),
        (DENIALS_OF_RESULT + 1, KEPT_AT_LEAST, False, True),
        (DENIALS_OF_RESULT + 1, timedelta(), True, True),
        (DENIALS_OF_RESULT, KEPT_AT_MOST, True, False),
    ],
)
def test_fal_cannot_have_forgotten_a_result_that_it_must_still_keep(
    denials: int, since_end: timedelta, is_cancelled: bool, is_gone: bool
):
    end = judge_denial(denials, DONE, since_end=since_end, is_cancelled=is_cancelled)
    assert end == (Gone("result") if is_gone else None)


def test_an_error_that_the_status_names_needs_no_result():
    end = judge_denial(DENIALS_OF_RESULT + 1, WRONG, since_end=timedelta(), is_cancelled=False)
    assert end == ended_by(WRONG)
    assert ended_by(StatusReport("COMPLETED", error_type="odd")).sentence.endswith("odd")
