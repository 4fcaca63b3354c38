"""Nothing that is known is lost, whichever comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent
from requests_app.fal.error_bodies import ErrorBody
from requests_app.fal.reports import Result
from requests_app.lifecycle import Effect
from requests_app.models import FalRequest, Source, Status, Team
from requests_app.rules.transitions import Gone, LostSubmitFound
from tests.builders import (
    fresh,
    hear,
    make_receipt,
    make_request,
    make_result,
    make_status,
    make_webhook,
)

pytestmark = pytest.mark.django_db

RAN = {"inference_time": 2.5}
SPOKEN = "The model ran out of credits upstream"


def failed(row: FalRequest, **webhook: Any) -> FalRequest:
    """Ended by a webhook that tells of an error."""
    hear(row, make_webhook(status="ERROR", **webhook), source=Source.WEBHOOK)
    return fresh(row)


WEBHOOKS: dict[str, tuple[dict[str, Any], str, str]] = {
    "an error beside a payload": ({"error": SPOKEN, "payload_bytes": b'{"foo": 1}'}, SPOKEN, ""),
    "an error and a reason": ({"error": SPOKEN, "payload_bytes": b'{"detail": "no"}'}, f"{SPOKEN}; no", ""),
    "a code and a reason": (
        {"error": "Invalid status code: 422", "payload_bytes": b'{"detail": {"type": "policy", "msg": "no"}}'}, "no", "policy"),
    "a code beside a payload": ({"error": "Invalid status code: 422", "payload_bytes": b'{"foo": 1}'}, "Invalid status code: 422", ""),
    "a payload error alone": ({"payload_bytes": None, "payload_error": "not serializable"}, "not serializable", ""),
    "a payload error beside a payload": ({"payload_error": "cut", "payload_bytes": b'{"foo": 1}'}, "cut", ""),
    "nothing": ({"payload_bytes": None}, "fal reported an error and gave no reason.", ""),
    "the same twice": ({"error": "no", "payload_bytes": b'{"detail": "no"}'}, "no", ""),
    "a type": ({"error": "x", "error_type": "internal_error", "payload_bytes": None}, "x", "internal_error"),
}  # fmt: skip


@pytest.mark.parametrize(("told", "error", "error_type"), WEBHOOKS.values(), ids=WEBHOOKS)
def test_a_webhook_s_reason_is_kept_wherever_it_stands(
    told: dict[str, Any], error: str, error_type: str, queued: FalRequest
) -> None:
    row = failed(queued, **told)
    assert (row.status, row.error, row.error_type) == (Status.FAILED, error, error_type)


def test_a_status_after_a_webhook_completes_type_reason_code_metrics_and_start(
    queued: FalRequest,
) -> None:
    row = failed(queued, payload_bytes=None)
    FalRequest.objects.filter(pk=row.pk).update(accepted_at=row.ended_at - timedelta(minutes=1))  # type: ignore[operator]
    report = make_status(
        "COMPLETED", error="Invalid status code: 500", error_type="internal_error", metrics=RAN
    )
    assert hear(row, report) == Effect.NEWS
    row = fresh(row)
    assert (row.error_type, row.error_code, row.metrics) == ("internal_error", 500, RAN)
    assert row.started_at == row.ended_at - timedelta(seconds=2.5)  # type: ignore[operator]
    assert row.started_at_is_derived
    note = row.observations.get(kind="details").note
    assert note == "fal's status added: metrics, start time, error type, code."
    assert hear(row, report) == Effect.KNOWN


def test_a_reason_that_only_the_status_has_is_kept(queued: FalRequest) -> None:
    row = failed(queued, error="Invalid status code: 500", payload_bytes=b'{"foo": 1}')
    hear(row, make_status("COMPLETED", error=SPOKEN))
    assert fresh(row).error == SPOKEN


def test_a_reason_that_is_known_is_not_replaced_and_another_type_is_on_record(
    queued: FalRequest,
) -> None:
    row = failed(queued, error=SPOKEN, error_type="upstream", payload_bytes=None)
    report = make_status("COMPLETED", error="another", error_type="internal_error")
    for _ in range(2):
        hear(row, report)
    row = fresh(row)
    assert (row.error, row.error_type) == (SPOKEN, "upstream")
    assert row.observations.get(kind="details").data == {"error_type": "internal_error"}


def test_an_answer_that_only_the_result_has_is_kept(queued: FalRequest) -> None:
    row = failed(queued, payload_bytes=None)
    hear(row, make_result(code=422, error="no cats", error_type="policy"))
    row = fresh(row)
    assert (row.error, row.error_type, row.error_code) == ("no cats", "policy", 422)
    assert bytes(row.output or b"") == b'{"detail": "no cats"}'
    wordless = Result(500, {}, "", b"{}", ErrorBody("fal answered with HTTP 500."))
    assert hear(row, wordless) == Effect.KNOWN


def test_a_webhook_after_a_poll_completes_what_the_poll_did_not_say(queued: FalRequest) -> None:
    hear(queued, Result(500, {}, "", b"", ErrorBody("fal answered with HTTP 500.")))
    hear(queued, make_webhook(status="ERROR", error=SPOKEN, error_type="upstream", payload_bytes=b'{"a": 1}'),
         source=Source.WEBHOOK)  # fmt: skip
    row = fresh(queued)
    assert (row.error, row.error_type, bytes(row.output or b"")) == (
        SPOKEN,
        "upstream",
        b'{"a": 1}',
    )


def test_the_output_of_a_webhook_that_comes_too_late_is_kept_as_evidence(
    queued: FalRequest,
) -> None:
    hear(queued, Gone("result"))
    assert hear(queued, make_webhook(), source=Source.WEBHOOK) == Effect.CONTRADICTION
    row = fresh(queued)
    assert (row.status, row.error_type) == (Status.FAILED, "result_expired")
    assert bytes(row.output or b"") == b'{"text": "done"}'


def test_metrics_that_come_after_the_first_completed_are_kept(queued: FalRequest) -> None:
    hear(queued, make_webhook(payload_bytes=None), source=Source.WEBHOOK)
    assert hear(queued, make_status("COMPLETED", metrics=RAN)) == Effect.NEWS
    assert hear(queued, make_status("COMPLETED", metrics=RAN)) == Effect.KNOWN
    row = fresh(queued)
    assert (row.status, row.metrics, row.started_at_is_derived) == (Status.IN_PROGRESS, RAN, True)


def test_further_metrics_are_added_and_known_ones_stay(queued: FalRequest) -> None:
    hear(queued, make_status("COMPLETED", metrics=RAN))
    hear(queued, make_status("COMPLETED", metrics={"inference_time": 9, "tokens": 7}))
    assert fresh(queued).metrics == {**RAN, "tokens": 7}


def test_a_start_that_was_seen_is_not_derived(queued: FalRequest) -> None:
    hear(queued, make_status("IN_PROGRESS"))
    seen_at = fresh(queued).started_at
    hear(queued, make_status("COMPLETED", metrics=RAN))
    row = fresh(queued)
    assert (row.started_at, row.started_at_is_derived) == (seen_at, False)


@pytest.mark.parametrize("told", [None, "2.5", True, -1, 4e9, 1e300, [2]])
def test_no_start_is_derived_from_what_is_no_length(queued: FalRequest, told: Any) -> None:
    hear(queued, make_status("COMPLETED", metrics={"inference_time": told}))
    assert fresh(queued).started_at is None


def test_a_derived_start_is_not_before_fal_took_the_request(queued: FalRequest) -> None:
    hear(queued, make_status("COMPLETED", metrics={"inference_time": 3600}))
    row = fresh(queued)
    assert row.started_at == row.accepted_at


@pytest.mark.parametrize("receipt_is_late", [False, True])
def test_the_id_of_the_last_attempt_is_kept_whichever_tells_it(
    receipt_is_late: bool, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    told = make_webhook("req-1", gateway_request_id="attempt-2")
    if not receipt_is_late:
        hear(row, make_receipt("req-1"), source=Source.SUBMIT_REPLY)
    hear(row, told, source=Source.WEBHOOK)
    if receipt_is_late:
        hear(row, make_receipt("req-1"), source=Source.SUBMIT_REPLY)
    assert fresh(row).gateway_request_id == "attempt-2"


# --- given up -------------------------------------------------------------------------------------


@pytest.fixture
def given_up(team: Team, owner: User) -> FalRequest:
    row = make_request(team=team, person=owner)
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "no answer.", now=timezone.now())
    assert lifecycle.give_up(row.pk, person=owner, now=timezone.now())
    return fresh(row)


LATE: dict[str, tuple[Any, str, str]] = {
    "a webhook": (make_webhook(), Source.WEBHOOK, "It completed at fal"),
    "a webhook of an error": (make_webhook(status="ERROR", error=SPOKEN), Source.WEBHOOK, SPOKEN),
    "the list": (LostSubmitFound("req-1"), Source.LIST, "fal ran it"),
    "the reply": (make_receipt("req-1"), Source.SUBMIT_REPLY, "fal took it"),
}


@pytest.mark.parametrize(("news", "source", "words"), LATE.values(), ids=LATE)
def test_what_comes_after_it_was_given_up_is_linked_told_and_ends_nothing(
    news: Any, source: str, words: str, given_up: FalRequest
) -> None:
    assert hear(given_up, news, source=source) == Effect.NEWS
    row = fresh(given_up)
    assert (row.status, row.error_type, row.fal_request_id) == (Status.FAILED, "given_up", "req-1")
    assert words in row.observations.get(kind="evidence").note
    assert not row.observations.filter(kind="contradiction").exists()
    assert row.due_at is not None and row.due_at <= timezone.now()
    assert hear(given_up, news, source=source) == Effect.KNOWN


def test_the_look_after_it_brings_status_logs_and_output_as_evidence(given_up: FalRequest) -> None:
    hear(given_up, LostSubmitFound("req-1"), source=Source.LIST)
    assert lifecycle.lacks_output(fresh(given_up))
    hear(given_up, make_status("COMPLETED", metrics=RAN))
    hear(given_up, make_result())
    row = fresh(given_up)
    assert (row.status, row.error_type, row.metrics) == (Status.FAILED, "given_up", RAN)
    assert bytes(row.output or b"") == b'{"text": "done"}'
    assert row.started_at is None  # it was given up at another time than it ended
    notes = list(row.observations.filter(kind="evidence").values_list("note", flat=True))
    assert any("finished at fal" in note for note in notes)
    assert any("output was fetched" in note for note in notes)


def test_that_fal_has_forgotten_it_is_no_evidence(given_up: FalRequest) -> None:
    assert hear(given_up, Gone("request")) == Effect.KNOWN


def test_a_request_that_was_never_sent_cannot_be_given_up(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    assert attempt is not None
    lifecycle.note_not_sent(row.pk, NotSent("x"), lease=attempt.lease, now=timezone.now())
    assert not lifecycle.give_up(row.pk, person=owner, now=timezone.now())
