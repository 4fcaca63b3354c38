"""A row stays ours while a call for it lasts, and is free soon when its process has died."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.lifecycle import sending
from requests_app.models import FalRequest, Status, Team
from requests_app.worker import leases
from requests_app.worker.steps import advance
from tests.builders import fresh, make_queued, make_request
from tests.fal.peer import says
from tests.worker.conftest import PeerThread, at_peer, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

RECEIPT = {"request_id": "req-9", "status": "IN_QUEUE"}


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a call outlasts it within a test."""
    monkeypatch.setattr(sending, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(lifecycle, "LEASE", timedelta(seconds=1))
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)


class Held:
    """What the peer does until it is released, then it answers."""

    def __init__(self, code: int, body: dict[str, Any]) -> None:
        self.event = asyncio.Event()
        self._answer = says(code, body)

    async def __call__(self, writer: Any) -> None:
        await self.event.wait()
        await self._answer(writer)


def renewed_beyond(row: FalRequest, seconds: float) -> bool:
    until = fresh(row).leased_until
    return until is not None and until > row.created_at + timedelta(seconds=seconds)


@pytest.mark.slow
def test_a_submit_that_outlasts_its_lease_keeps_its_row_and_its_receipt(
    loop: Any, peer: PeerThread, row: FalRequest, owner: User
) -> None:
    held = Held(200, RECEIPT)
    peer.will(held)
    loop.spawn(advance(row.pk))
    wait_for(lambda: peer.requests)
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())  # takes nothing back
    wait_for(lambda: renewed_beyond(row, 3))
    lifecycle.expire_lease(row.pk, now=timezone.now())  # as another worker's sweep would
    assert fresh(row).status == Status.SUBMITTING
    peer.release(held.event)
    wait_for(lambda: fresh(row).fal_request_id == "req-9")
    assert fresh(row).lease is None


@pytest.mark.slow
def test_a_look_that_outlasts_its_lease_keeps_its_row(
    loop: Any, peer: PeerThread, team: Team, owner: User
) -> None:
    row = at_peer(peer, make_queued(team=team, person=owner))
    held = Held(200, {"status": "IN_QUEUE", "queue_position": 3})
    peer.will(held)
    loop.spawn(advance(row.pk))
    wait_for(lambda: peer.requests)
    wait_for(lambda: renewed_beyond(row, 3))
    assert FalRequest.objects.take_lease(row.pk, timezone.now(), timedelta(seconds=1)) is None
    peer.release(held.event)
    wait_for(lambda: fresh(row).lease is None)
    assert fresh(row).queue_position == 3


def test_a_wish_that_came_meanwhile_outlives_a_renewal(team: Team, owner: User) -> None:
    row, now = make_queued(team=team, person=owner), timezone.now()
    FalRequest.objects.filter(pk=row.pk).update(due_at=now)
    lease = FalRequest.objects.take_lease(row.pk, now, timedelta(seconds=1))
    assert lease is not None
    lifecycle.make_due(row.pk, now=now)
    assert lifecycle.renew_leases({(row.pk, lease)}, now=now) == {(row.pk, lease): False}
    assert fresh(row).due_at == now
    lifecycle.release(lifecycle.Release(row.pk, lease, now + timedelta(minutes=1)))
    assert fresh(row).due_at == now


async def test_all_rows_of_a_loop_are_renewed_together_each_under_its_own_lease(
    monkeypatch: pytest.MonkeyPatch, team: Team, owner: User
) -> None:
    asked: list[int] = []
    hold = lifecycle.renew_leases

    def counted(held: set[lifecycle.Held], **when: Any) -> Any:
        asked.append(len(held))
        return hold(held, **when)

    monkeypatch.setattr(lifecycle, "renew_leases", counted)
    claims = [await sync_to_async(claimed)(team, owner) for _ in range(3)]
    lost, wanted, _ = claims
    await FalRequest.objects.filter(pk=lost.pk).aupdate(lease=uuid4())
    keeping = [asyncio.create_task(leases.renew_until_stopped(attempt)) for attempt in claims]
    async with asyncio.timeout(30):
        assert await keeping[0] is False
        await FalRequest.objects.filter(pk=wanted.pk).aupdate(cancel_asked_at=timezone.now())
        assert await keeping[1] is True
    assert not keeping[2].done()
    keeping[2].cancel()
    assert asked[0] == 3  # one call for all of them


def claimed(team: Team, owner: User) -> lifecycle.Attempt:
    row = make_request(team=team, person=owner)
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    assert attempt
    return attempt


def test_a_dead_processs_row_is_free_well_within_a_minute(
    monkeypatch: pytest.MonkeyPatch, row: FalRequest
) -> None:
    monkeypatch.undo()
    now = timezone.now()
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.expire_lease(row.pk, now=now + timedelta(seconds=30))
    assert fresh(row).status == Status.UNCERTAIN
    assert timedelta(seconds=30) >= lifecycle.LEASE


@pytest.mark.parametrize("mode", ["queue", "run", "stream"])
def test_who_stood_still_since_the_claim_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, loop: Any, peer: PeerThread, team: Team, owner: User, mode: str
) -> None:
    monkeypatch.setattr(sending, "LEASE", timedelta(0))  # over as soon as it is taken
    row = make_request(team=team, person=owner, mode=mode)
    loop.run(advance(row.pk))
    assert fresh(row).status == Status.PENDING
    assert "stood still" in row.observations.last().note  # type: ignore[union-attr]
    assert not peer.requests
