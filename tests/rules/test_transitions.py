"""The table of what news means; no database."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.models import ENDED, LIVE, Status
from requests_app.rules.transitions import (
    CallEnded,
    Gone,
    LostSubmitFound,
    Picture,
    agrees,
    decide,
)
from tests.builders import make_receipt, make_result, make_status, make_webhook

NEWS: list[Any] = [
    make_receipt(),
    make_status("IN_QUEUE", queue_position=1),
    make_status("IN_PROGRESS"),
    make_status("COMPLETED"),
    make_result(),
    make_result(code=422, error="bad"),
    make_webhook(),
    make_webhook(status="ERROR", error="Invalid status code: 422"),
    Gone("request"),
    CallEnded(Status.FAILED, "interrupted", "cut"),
]


@pytest.mark.parametrize("status", sorted(ENDED))
@pytest.mark.parametrize("news", NEWS, ids=lambda news: type(news).__name__)
def test_an_ended_state_absorbs_all_news(status: str, news: Any) -> None:
    assert decide(Picture(status=status), news) is None


TABLE = [
    # before, news, after
    ("submitting", make_receipt(), "in_queue"),
    ("uncertain", make_receipt(), "in_queue"),
    ("in_progress", make_receipt(), "in_progress"),
    ("in_queue", make_status("IN_PROGRESS"), "in_progress"),
    ("in_progress", make_status("IN_QUEUE", queue_position=2), "in_queue"),
    ("in_queue", make_status("COMPLETED"), "in_progress"),
    ("in_queue", make_status("COMPLETED", error_type="client_cancelled"), "cancelled"),
    ("in_progress", make_result(), "completed"),
    ("in_queue", make_result(code=422, error="bad"), "failed"),
    ("in_progress", make_result(code=500, error="oops"), "failed"),
    ("in_progress", make_result(code=499, error="gone"), "cancelled"),
    ("uncertain", make_webhook(), "completed"),
    ("uncertain", LostSubmitFound("req-1"), "in_progress"),
    ("submitting", make_webhook(), "completed"),
    ("in_queue", make_webhook(payload_bytes=None, payload_error="too large"), "in_progress"),
    ("in_queue", make_webhook(status="ERROR", error="Invalid status code: 422"), "failed"),
    ("in_queue", make_webhook(status="ERROR", error="Invalid status code: 499"), "cancelled"),
    ("in_queue", make_webhook(status="SOMETHING"), "in_progress"),
    ("in_queue", Gone("request"), "failed"),
    ("in_progress", Gone("result"), "failed"),
    ("in_progress", CallEnded("cancelled", "", "hung up"), "cancelled"),
]


@pytest.mark.parametrize(("before", "news", "after"), TABLE)
def test_each_piece_of_news_leads_to_its_state(before: str, news: Any, after: str) -> None:
    change = decide(Picture(status=before), news)
    assert change is not None
    assert change.status == after


@pytest.mark.parametrize("status", sorted(LIVE))
def test_a_status_word_fal_never_told_us_changes_nothing(status: str) -> None:
    assert decide(Picture(status=status), make_status("PAUSED")) is None


def test_the_same_position_again_is_no_news() -> None:
    picture = Picture(status=Status.IN_QUEUE, queue_position=3)
    assert decide(picture, make_status("IN_QUEUE", queue_position=3)) is None


def test_a_position_may_grow_again() -> None:
    picture = Picture(status=Status.IN_QUEUE, queue_position=3)
    change = decide(picture, make_status("IN_QUEUE", queue_position=7))
    assert change is not None
    assert change.columns["queue_position"] == 7


def test_completed_is_told_once_while_the_result_is_fetched() -> None:
    picture = Picture(status=Status.IN_PROGRESS, finished=True)
    assert decide(picture, make_status("COMPLETED", metrics={"inference_time": 1.0})) is None


def test_gone_means_cancelled_only_after_fal_took_a_cancellation() -> None:
    taken = Picture(status=Status.IN_QUEUE, cancel_asked=True, cancel_answer="requested")
    unanswered = Picture(status=Status.IN_QUEUE, cancel_asked=True)
    first, second = decide(taken, Gone("request")), decide(unanswered, Gone("request"))
    assert first and first.status == Status.CANCELLED
    assert second and second.status == Status.FAILED


def test_a_finished_result_wins_over_a_wish_to_cancel() -> None:
    picture = Picture(status=Status.IN_PROGRESS, cancel_asked=True, cancel_answer="requested")
    change = decide(picture, make_result())
    assert change and change.status == Status.COMPLETED


def test_an_expired_result_says_that_it_was_asked_for_too_late() -> None:
    change = decide(Picture(status=Status.IN_PROGRESS), Gone("result"))
    assert change and change.columns["error_type"] == "result_expired"


def test_a_webhook_brings_the_request_id_we_never_got() -> None:
    change = decide(Picture(status=Status.UNCERTAIN), make_webhook("req-9"))
    assert change and change.columns["fal_request_id"] == "req-9"


def test_a_webhook_may_say_cancelled_in_its_payload_alone() -> None:
    body = b'{"detail": "Request was cancelled", "error_type": "client_cancelled"}'
    news = make_webhook(status="ERROR", error="Client Closed Request", payload_bytes=body)
    change = decide(Picture(status=Status.IN_PROGRESS), news)
    assert change and change.status == Status.CANCELLED
    assert agrees(Status.CANCELLED, news)


def test_a_webhook_error_keeps_the_code_and_the_body() -> None:
    body = b'{"detail": [{"loc": ["body", "prompt"], "msg": "too long", "type": "value_error"}]}'
    news = make_webhook(status="ERROR", error="Invalid status code: 422", payload_bytes=body)
    change = decide(Picture(status=Status.IN_QUEUE), news)
    assert change and change.columns["error_code"] == 422
    assert change.columns["output"] == body
    assert "too long" in change.columns["error"]


def test_the_same_end_twice_agrees_and_another_end_does_not() -> None:
    assert agrees(Status.COMPLETED, make_webhook())
    assert not agrees(Status.COMPLETED, make_webhook(status="ERROR", error="x"))
    assert agrees(Status.FAILED, make_status("IN_PROGRESS"))


def test_a_session_that_ended_well_is_completed_with_a_note_how() -> None:
    change = decide(
        Picture("in_progress"), CallEnded(Status.COMPLETED, "", "fal closed it in order.")
    )
    assert change is not None
    assert (change.status, change.kind, change.note) == (
        "completed",
        "ended",
        "fal closed it in order.",
    )
    assert "error" not in change.columns


def test_that_fal_has_forgotten_an_ended_request_contradicts_no_end() -> None:
    assert all(agrees(status, Gone("request")) for status in ENDED)


@pytest.mark.parametrize("status", sorted(LIVE - {Status.UNCERTAIN}))
def test_what_is_not_lost_is_not_found(status: str) -> None:
    assert decide(Picture(status=status), LostSubmitFound("req-9")) is None
