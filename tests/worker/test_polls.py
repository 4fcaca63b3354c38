"""Polls of one request against a scripted peer, and what they leave in its row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Source, Status, Team
from requests_app.worker.looks import AFTERCARE_TRIES
from requests_app.worker.steps import advance
from tests.builders import fresh, hear, make_request, make_status, make_webhook
from tests.fal.peer import hang, says
from tests.worker.conftest import PeerThread, at_peer, ended, look, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]


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


def test_a_status_that_was_known_is_asked_for_again_when_the_row_has_changed_meanwhile(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(sent_at=timezone.now() - timedelta(hours=1))
    asked, release = asyncio.Event(), asyncio.Event()
    answer = says(202, {"status": "IN_QUEUE", "queue_position": queued.queue_position})

    async def held(writer: Any) -> None:
        asked.set()
        await release.wait()
        await answer(writer)

    peer.will(held)
    loop.spawn(advance(queued.pk))
    wait_for(asked.is_set)
    hear(queued, make_status("IN_PROGRESS"))
    peer.release(release)
    wait_for(lambda: fresh(queued).lease is None)
    row = fresh(queued)
    assert row.status == Status.IN_PROGRESS
    assert row.due_at and row.due_at < timezone.now() + timedelta(seconds=5)  # not in 25 s


def test_a_request_that_is_read_again_gets_what_it_lacks_and_keeps_its_end(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=None)
    before = fresh(queued)
    assert lifecycle.reread(queued.pk, person=owner, now=timezone.now())
    peer.will(says(200, {"status": "COMPLETED", "metrics": {"inference_time": 1.5}}))
    row = look(loop, queued)
    assert (row.status, row.ended_at, row.output) == (before.status, before.ended_at, before.output)
    assert row.metrics == {"inference_time": 1.5}
    assert row.due_at is None
    assert len(peer.requests) == 1  # the output is there: it is not fetched again


def test_a_request_that_fal_has_forgotten_says_so_and_is_not_asked_for_again(
    loop: Any, peer: PeerThread, queued: FalRequest, owner: User
) -> None:
    hear(queued, make_webhook(), source=Source.WEBHOOK)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=None)
    lifecycle.reread(queued.pk, person=owner, now=timezone.now())
    peer.will(says(404, {"detail": "Request not found"}))
    row = look(loop, queued)
    assert (row.status, row.due_at) == (Status.COMPLETED, None)
    assert "no longer knows" in row.observations.get(kind="reread_gone").note
