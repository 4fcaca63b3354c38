"""A result that is paid, fetched from a peer that answers with everything else first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Observation, Status
from requests_app.rules.paid_result import DENIALS_OF_RESULT, KEPT_AT_MOST, SAME_BEFORE_BELIEVED
from tests.builders import fresh
from tests.fal.peer import NGINX_502, Step, html, reply, says
from tests.worker.conftest import PeerThread, look

pytestmark = pytest.mark.django_db(transaction=True)

DONE = says(200, {"status": "COMPLETED"})
WRONG = says(200, {"status": "COMPLETED", "error": "Invalid status code: 422", "error_type": "odd"})
OUTPUT = {"text": "here"}
FROM_FAL = {"x_fal_request_id": "req-1"}


def looks(loop: Any, row: FalRequest, times: int) -> FalRequest:
    for _ in range(times):
        row = look(loop, row)
    return row


def an_hour_later(row: FalRequest) -> None:
    """All that was heard so far was heard an hour ago."""
    for seen in Observation.objects.filter(request=row):
        seen.heard_at -= KEPT_AT_MOST
        seen.save(update_fields=["heard_at"])
    FalRequest.objects.filter(pk=row.pk).update(finished_at=timezone.now() - KEPT_AT_MOST)


IN_ITS_PLACE: dict[str, Step] = {
    "202 and a status": says(202, {"status": "IN_PROGRESS"}),
    "200 and a status": says(200, {"status": "IN_QUEUE", "queue_position": 1}),
    "200 and an ended status": says(200, {"status": "COMPLETED", "logs": None}),
    "400": says(400, {"detail": "Request is still in progress"}),
    "nothing": reply(200, b""),
    "nothing from fal": reply(200, b"", **FROM_FAL),
    "204": reply(204, b""),
    "half a JSON": reply(200, b'{"text": "he'),
    "a page": html(200),
    "a page as JSON": reply(200, b"<html><title>Log in</title></html>"),
    "a proxy's words": reply(200, b"OK", "text/plain"),
    "500": says(500, {"detail": "x"}),
    "500 from fal": says(500, {"detail": "x"}, **FROM_FAL),
    "502": html(502),
    "503": says(503, {"detail": "upstream", "error_type": "internal_error"}),
    "504 from fal": reply(504, b"", **FROM_FAL),
    "404": says(404, {"detail": "Request not found"}),
    "404 in HTML": html(404),
    "403 in HTML": html(403),
    "401": says(401, {"detail": "bad key"}),
    "429": reply(429, b"", "text/plain", retry_after="1"),
    "302": reply(302, b"", location="/x"),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", IN_ITS_PLACE.values(), ids=IN_ITS_PLACE)
def test_what_comes_in_place_of_a_result_ends_nothing_and_the_result_is_fetched_after_it(
    fault: Step, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    for _ in range(SAME_BEFORE_BELIEVED - 1):
        peer.will(DONE, fault)
    peer.will(DONE, says(200, OUTPUT))
    row = looks(loop, queued, SAME_BEFORE_BELIEVED - 1)
    assert not row.is_ended
    assert row.due_at is not None
    row = look(loop, row)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, b'{"text": "here"}')


def test_one_fault_after_the_other_ends_nothing(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    faults = [*IN_ITS_PLACE.values()]
    for fault in faults:
        peer.will(DONE, fault)
    peer.will(DONE, says(200, OUTPUT))
    assert looks(loop, queued, len(faults) + 1).status == Status.COMPLETED


def test_the_pause_between_fetches_grows_to_a_minute_and_no_further(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    pauses = []
    for _ in range(9):
        peer.will(DONE, reply(200, b'{"text": "he'))
        row = look(loop, queued)
        assert row.due_at is not None
        pauses.append(round((row.due_at - timezone.now()).total_seconds()))
    assert pauses == sorted(pauses)
    assert 50 < pauses[-1] <= 60


@pytest.mark.parametrize(
    "fault", [html(502), reply(200, b'{"text": "he'), says(202, {"status": "IN_PROGRESS"})]
)
def test_when_fal_keeps_it_no_longer_it_fails_by_name_and_what_came_is_kept(
    fault: Step, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[DONE, fault] * 4)
    row = looks(loop, queued, 3)
    assert not row.is_ended
    an_hour_later(row)
    row = look(loop, row)
    assert (row.status, row.error_type) == (Status.FAILED, "result_unreadable")
    assert "what it answers is not the result" in row.error
    assert row.due_at is None
    assert bytes(row.output or b"") in (NGINX_502, b'{"text": "he', b"")


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_the_same_failure_of_fals_own_is_believed_after_a_while(
    code: int, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    fault = says(code, {"detail": "out of memory"}, **FROM_FAL)
    peer.will(*[DONE, fault] * SAME_BEFORE_BELIEVED)
    assert not looks(loop, queued, SAME_BEFORE_BELIEVED - 1).is_ended
    row = look(loop, queued)
    assert (row.status, row.error_code, row.error) == (Status.FAILED, code, "out of memory")


def test_an_empty_output_of_fals_own_is_believed_after_a_while(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[DONE, reply(200, b"", **FROM_FAL)] * SAME_BEFORE_BELIEVED)
    row = looks(loop, queued, SAME_BEFORE_BELIEVED)
    assert (row.status, row.output_size) == (Status.COMPLETED, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "answer", "error", "error_type", "code"),
    [
        (WRONG, says(422, {"detail": "no"}), "no", "odd", 422),
        (WRONG, says(422, {"x": 1}), "fal answered with HTTP 422.", "odd", 422),
        (says(200, {"status": "COMPLETED", "error": "Invalid status code: 500"}),
         says(500, {"detail": "crash"}), "crash", "", 500),
        (says(200, {"status": "COMPLETED", "error": "Service Unavailable: runner_disconnected",
                    "error_type": "runner_disconnected"}),
         reply(503, b"", **FROM_FAL), "Service Unavailable: runner_disconnected", "runner_disconnected", 503),
        (says(200, {"status": "COMPLETED", "error": "Invalid status code: 403"}),
         says(403, {"detail": "the model's own key is bad"}), "the model's own key is bad", "", 403),
        (says(200, {"status": "COMPLETED", "error": "Invalid status code: 404"}),
         says(404, {"detail": "Not Found"}), "Not Found", "", 404),
        (says(200, {"status": "COMPLETED", "error": "Invalid status code: 429"}),
         reply(429, b"slow", "text/plain"), "slow", "", 429),
        (says(200, {"status": "COMPLETED", "error": {"message": "out of credit", "type": "upstream"}}),
         says(400, {"foo": 1}), "out of credit", "upstream", 400),
    ],
)  # fmt: skip
def test_an_error_that_fals_status_names_ends_it_at_once_and_keeps_all_that_is_known(
    status: Step, answer: Step, error: str, error_type: str, code: int,
    loop: Any, peer: PeerThread, queued: FalRequest,
) -> None:  # fmt: skip
    peer.will(status, answer)
    row = look(loop, queued)
    assert (row.status, row.error, row.error_type, row.error_code) == (
        Status.FAILED, error, error_type, code,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "times"),
    [(html(502), SAME_BEFORE_BELIEVED), (says(404, {"detail": "Not found"}), DENIALS_OF_RESULT + 1)],
)  # fmt: skip
def test_an_error_that_fals_status_names_is_the_end_though_its_words_never_come(
    answer: Step, times: int, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[WRONG, answer] * times)
    assert not looks(loop, queued, times - 1).is_ended
    row = look(loop, queued)
    assert (row.status, row.error_type, row.error_code) == (Status.FAILED, "odd", 422)


def test_a_result_fal_denies_again_and_again_is_expired_once_fal_need_not_keep_it(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[DONE, says(404, {"detail": "Request not found"})] * (DENIALS_OF_RESULT + 4))
    assert not looks(loop, queued, DENIALS_OF_RESULT + 3).is_ended
    FalRequest.objects.filter(pk=queued.pk).update(
        finished_at=timezone.now() - timedelta(minutes=7)
    )
    row = look(loop, queued)
    assert (row.status, row.error_type) == (Status.FAILED, "result_expired")


def test_a_result_that_fal_denies_after_it_took_the_cancellation_is_not_waited_for(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    lifecycle.ask_cancel(queued.pk, person=owner, now=timezone.now())
    denied = says(404, {"detail": "Request not found"})
    peer.will(
        says(202, {"status": "CANCELLATION_REQUESTED"}), *[DONE, denied] * (DENIALS_OF_RESULT + 1)
    )
    assert looks(loop, queued, DENIALS_OF_RESULT + 1).status == Status.CANCELLED


def test_each_answer_in_its_place_is_told_on_the_page(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(DONE, html(502))
    look(loop, queued)
    told = fresh(queued).observations.get(kind="not_result")
    assert told.note == (
        "Not the result: A server on the way to fal, or fal itself, failed (502). It is fetched again."
    )
    assert told.data == {"code": 502, "from_fal": False}
