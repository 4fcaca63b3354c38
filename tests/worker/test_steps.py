"""One request against a server that speaks fal's protocol, step by step, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from requests_app.worker import database_pool
from requests_app.worker.fal_connections import CALLS_AT_ONCE
from requests_app.worker.loop import connections
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.peer import hang, says
from tests.worker.conftest import PeerThread, ended, submits, wait_for

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


@pytest.mark.slow
def test_a_models_own_validation_error_ends_as_failed_with_its_fields(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/strict", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 422)
    assert json.loads(bytes(row.output or b""))["detail"][0]["loc"][0] == "body"


@pytest.mark.slow
def test_a_crash_ends_as_failed(at_sandbox: Any, team: Team, owner: User, until: Until) -> None:
    row = make_request(team=team, person=owner, endpoint_id="sandbox/crash", input={})
    row = until(row, ended)
    assert (row.status, row.error_code) == (Status.FAILED, 500)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
