"""One request against a server that speaks fal's protocol, step by step, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Source, Status, Team
from requests_app.worker import database_pool
from requests_app.worker.fal_connections import CALLS_AT_ONCE
from requests_app.worker.loop import connections
from requests_app.worker.steps import AFTERCARE_TRIES, advance
from tests.builders import fresh, hear, make_request, make_webhook
from tests.fal.peer import hang, says
from tests.worker.conftest import PeerThread, at_peer, ended, look, submits, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]


def test_a_queued_request_reaches_its_result_by_polling_alone(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/slow",
        input={"steps": 3, "seconds_per_step": 0.2},
    )  # fmt: skip
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    assert json.loads(bytes(row.output or b""))
    assert row.metrics["inference_time"] > 0
    assert row.log_lines.count() >= 3
    assert submits(at_sandbox, row) >= 1


def test_a_models_own_validation_error_ends_as_failed_with_its_fields(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/strict", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert json.loads(bytes(row.output or b""))["detail"][0]["loc"][0] == "body"


def test_a_crash_ends_as_failed(at_sandbox: Any, team: Team, owner: User, until: Until) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/crash", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 500)


def test_cancelled_is_said_only_after_fal_said_so(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/patient", input={"seconds": 20}
    )
    row = until(row, lambda row: row.status == Status.IN_PROGRESS)
    assert lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now()) == "asked"
    row = until(row, ended)
    assert row.status == Status.CANCELLED
    assert row.cancel_answer == "requested"


def test_an_endpoint_fal_does_not_know_is_refused(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="nobody/nothing", input={"a": 1})
    row = until(row, ended)
    assert row.status == Status.FAILED
    assert row.error_code == 404


def test_a_reply_lost_after_fal_accepted_is_uncertain_and_never_sent_again(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="drop_reply_after_accepting", times=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 71}
    )
    row = until(row, lambda row: row.status == Status.UNCERTAIN)
    for _ in range(5):
        until(row, lambda row: row.status == Status.UNCERTAIN)
    assert submits(at_sandbox, row) == 1


def test_fal_asking_to_wait_is_obeyed_and_sent_once(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="429", times=1, retry_after=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 72}
    )
    row = until(row, ended)
    assert row.status == Status.COMPLETED, row.error
    assert submits(at_sandbox, row) == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["502_html", "503", "truncate_json", "500_json"])
def test_bad_answers_to_a_poll_change_nothing(
    fault: str, at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="status", do=fault, times=1)
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a lake", "seed": 73}
    )
    assert until(row, ended).status == Status.COMPLETED


def test_a_server_that_cannot_be_reached_leaves_the_row_pending(
    settings: Any, team: Team, owner: User, until: Until
) -> None:
    settings.FAL_QUEUE_URL = "http://127.0.0.1:1/queue"
    row = make_request(team=team, person=owner, endpoint_id="sandbox/image")
    row = until(row, lambda row: row.tries > 0)
    assert row.status == Status.PENDING
    assert "could not be reached" in row.observations.last().note  # type: ignore[union-attr]


# --- what can go wrong, against a scripted peer ---------------------------------------------------


def test_no_lease_runs_while_a_row_waits_for_a_free_place(
    loop: Any, peer: PeerThread, queued: FalRequest, team: Team, owner: User
) -> None:
    """Else it lapsed there, was shown as uncertain, and was sent after all."""
    unsent = make_request(team=team, person=owner)

    async def all_places_taken() -> None:
        for _ in range(CALLS_AT_ONCE):
            await connections.calls.acquire()
        steps = [loop.start(advance(row.pk)) for row in (unsent, queued)]
        await asyncio.sleep(0.2)
        for step in steps:
            step.cancel()
        await asyncio.gather(*steps, return_exceptions=True)

    loop.run(all_places_taken())
    assert fresh(unsent).status == Status.PENDING
    assert fresh(queued).lease is None


def test_a_wish_to_cancel_before_the_receipt_is_told_to_fal_after_it(
    loop: Any, peer: PeerThread, team: Team, owner: User, until: Until
) -> None:
    row, accept = make_request(team=team, person=owner), asyncio.Event()

    async def accepted(writer: Any) -> None:
        await accept.wait()
        await says(200, {"request_id": "r-1"})(writer)

    peer.will(
        accepted, says(202, {"status": "CANCELLATION_REQUESTED"}), says(202, {"status": "IN_QUEUE"})
    )
    loop.spawn(advance(row.pk))
    wait_for(lambda: peer.requests)
    assert lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now()) == "asked"
    peer.release(accept)
    row = until(row, lambda row: row.cancel_answer == "requested")
    assert [received.method for received in peer.requests][:2] == ["POST", "PUT"]
    assert row.status == Status.IN_QUEUE


def test_a_wish_that_comes_while_a_look_holds_the_row_is_acted_on_at_once(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    answer = asyncio.Event()

    async def slow_status(writer: Any) -> None:
        await answer.wait()
        await says(503, {"detail": "busy"})(writer)  # also a look that fails leaves the wish

    FalRequest.objects.filter(pk=queued.pk).update(tries=6)
    peer.will(slow_status)
    loop.spawn(advance(queued.pk))
    wait_for(lambda: peer.requests)
    lifecycle.ask_cancel(queued.pk, person=owner, now=timezone.now())
    peer.release(answer)
    wait_for(lambda: fresh(queued).lease is None)
    due_at = fresh(queued).due_at
    assert due_at is not None and due_at <= timezone.now()


def test_a_poll_that_fal_wants_later_is_made_later_even_for_an_open_page(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(says(429, {"detail": "slow down"}, retry_after="30"))
    now = timezone.now()
    row = look(loop, queued)
    assert row.status == Status.IN_QUEUE
    lifecycle.poll_faster_until([row.pk], until=now + timedelta(seconds=15), now=now)
    due_at = fresh(row).due_at
    assert due_at is not None and due_at >= now + timedelta(seconds=29)


def test_a_result_over_the_limit_ends_the_row_instead_of_being_fetched_for_ever(
    loop: Any, peer: PeerThread, queued: FalRequest, settings: Any
) -> None:
    settings.OUTPUT_LIMIT_BYTES = 1024
    loop.stop()  # the client keeps its limits
    peer.will(says(200, {"status": "COMPLETED"}), says(200, {"text": "x" * 5000}))
    row = look(loop, queued)
    assert (row.status, row.error_type, row.due_at) == (Status.FAILED, "output_too_large", None)
    assert "1024 bytes" in row.error


def test_a_log_over_the_limit_does_not_hide_the_status(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    huge = {"status": "IN_PROGRESS", "logs": [{"message": "x" * 33 * 1024 * 1024}]}
    peer.will(says(202, huge), says(202, {"status": "IN_PROGRESS"}))
    assert look(loop, queued).status == Status.IN_PROGRESS
    assert [received.query["logs"] for received in peer.requests] == ["1", "0"]


def test_aftercare_waits_for_a_status_that_lags_behind_the_webhook(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    at_peer(peer, fresh(queued))
    peer.will(
        says(202, {"status": "IN_PROGRESS"}),
        says(200, {"status": "COMPLETED", "metrics": {"inference_time": 2.5}}),
    )
    row = look(loop, queued)
    assert row.due_at is not None
    row = look(loop, queued)
    assert (row.metrics, row.due_at) == ({"inference_time": 2.5}, None)


def test_aftercare_gives_up_after_a_few_failures(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    at_peer(peer, fresh(queued))
    peer.will(*[says(404, {"detail": "Request not found"})] * (AFTERCARE_TRIES + 1))
    for _ in range(AFTERCARE_TRIES):
        assert look(loop, queued).due_at is not None
    row = look(loop, queued)
    assert (row.status, row.due_at) == (Status.COMPLETED, None)


def test_an_end_by_webhook_during_a_look_keeps_its_aftercare(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    answer = asyncio.Event()

    async def slow_status(writer: Any) -> None:
        await answer.wait()
        await says(202, {"status": "IN_PROGRESS"})(writer)

    peer.will(slow_status)
    loop.spawn(advance(queued.pk))
    wait_for(lambda: peer.requests)
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    peer.release(answer)
    loop.stop()
    row = fresh(queued)
    assert (row.status, row.lease) == (Status.COMPLETED, None)
    assert row.due_at is not None


def test_a_stop_in_the_middle_of_a_submit_leaves_it_uncertain_at_once(
    loop: Any, peer: PeerThread, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    peer.will(hang)
    loop.spawn(advance(row.pk))
    wait_for(lambda: peer.requests)
    loop.stop(drain_s=0)
    assert fresh(row).status == Status.UNCERTAIN
    lifecycle.resume(now=timezone.now(), alone=True)
    loop.run(advance(row.pk))
    assert [received.method for received in peer.requests] == ["POST"]


def test_a_receipt_outlives_a_database_that_is_away(
    loop: Any, peer: PeerThread, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, observe, calls = make_request(team=team, person=owner), lifecycle.observe_many, []

    def locked_at_first(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            raise OperationalError("database is locked")
        return observe(*args, **kwargs)

    monkeypatch.setattr(database_pool, "RETRY_EVERY_S", 0.01)
    monkeypatch.setattr(lifecycle, "observe_many", locked_at_first)
    peer.will(says(200, {"request_id": "r-1"}))
    loop.run(advance(row.pk))
    assert (fresh(row).status, fresh(row).fal_request_id) == (Status.IN_QUEUE, "r-1")


def test_another_requests_id_leaves_the_row_uncertain(
    loop: Any, peer: PeerThread, queued: FalRequest, team: Team, owner: User
) -> None:
    row = make_request(team=team, person=owner)
    peer.will(says(200, {"request_id": queued.fal_request_id}))
    loop.run(advance(row.pk))
    assert fresh(row).status == Status.UNCERTAIN


def test_options_go_out_as_headers_and_as_the_submits_query(
    peer: PeerThread, team: Team, owner: User, until: Until
) -> None:
    options = {"max_queue_length": 3, "tags": "a=b", "headers": {"x-own": "1"}}
    row = make_request(team=team, person=owner, **options)
    until(row, lambda _: peer.requests)
    sent = peer.requests[0]
    assert sent.query["fal_max_queue_length"] == "3"
    assert (sent.header("x-fal-tags"), sent.header("x-own")) == ("a=b", "1")


def test_the_look_after_an_error_without_an_answer_fetches_the_answer(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    hear(queued, make_webhook(status="ERROR", payload_bytes=None), source=Source.WEBHOOK)
    at_peer(peer, fresh(queued))
    told = {"status": "COMPLETED", "error_type": "policy", "metrics": {"inference_time": 1.5}}
    peer.will(says(200, told), says(422, {"detail": "Prompt was blocked"}))
    row = look(loop, queued)
    assert (row.error, row.error_type, row.error_code) == ("Prompt was blocked", "policy", 422)
    assert (row.metrics, row.due_at) == ({"inference_time": 1.5}, None)
    assert bytes(row.output or b"") == b'{"detail": "Prompt was blocked"}'


def test_what_the_list_has_of_a_request_that_was_given_up_is_fetched_as_evidence(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(status=Status.FAILED, error_type="given_up")
    peer.will(says(200, {"status": "COMPLETED"}), says(200, {"text": "here"}))
    row = look(loop, queued)
    assert (row.status, row.error_type, row.due_at) == (Status.FAILED, "given_up", None)
    assert bytes(row.output or b"") == b'{"text": "here"}'


@pytest.mark.parametrize(
    "answer", [says(503, {"detail": "away"}), says(500, "x"), says(410, {}), says(404, "no")]
)
def test_a_cancel_that_fails_keeps_no_row_from_its_result(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User, answer: Any
) -> None:
    row = at_peer(peer, queued)
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    peer.will(answer, says(200, {"status": "COMPLETED"}), says(200, {"text": "paid for"}))
    loop.run(advance(row.pk), timeout_s=20)
    row = fresh(row)
    assert [received.method for received in peer.requests] == ["PUT", "GET", "GET"]
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, b'{"text": "paid for"}')


def test_a_poll_that_the_end_of_the_process_cuts_off_is_no_answer_of_fals(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    row = at_peer(peer, queued)
    FalRequest.objects.filter(pk=row.pk).update(tries=2)
    peer.will(hang)
    loop.spawn(advance(row.pk))
    wait_for(lambda: peer.requests)
    loop.stop(drain_s=0)
    assert fresh(row).tries == 3


def test_the_next_poll_keeps_to_the_pace_that_is_set(
    loop: Any, peer: PeerThread, queued: FalRequest, settings: Any
) -> None:
    settings.POLLS_PER_S = 0.01
    peer.will(says(202, {"status": "IN_QUEUE", "queue_position": 3}))
    row = look(loop, queued)
    assert row.due_at is not None
    assert (row.due_at - timezone.now()).total_seconds() > 90


def test_of_two_steps_for_one_row_in_one_group_one_is_taken(
    loop: Any, peer: PeerThread, queued: FalRequest, team: Team, owner: User
) -> None:
    unsent = make_request(team=team, person=owner)
    peer.will(*[says(200, {"request_id": "r-2", "status": "IN_QUEUE"})] * 2)

    async def both() -> None:
        await asyncio.gather(*(advance(pk) for pk in (unsent.pk, unsent.pk)))
        await asyncio.gather(*(advance(pk) for pk in (queued.pk, queued.pk)))

    FalRequest.objects.filter(pk=queued.pk).update(due_at=timezone.now())
    loop.run(both(), timeout_s=20)
    assert [request.method for request in peer.requests] == ["POST", "GET"]
