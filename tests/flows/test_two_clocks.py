"""Two workers whose clocks disagree by minutes: a submit that one of them is sending stays the only one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.peer import says
from tests.worker.conftest import PeerThread, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

RECEIPT = says(200, {"request_id": "r-1", "status": "IN_QUEUE", "queue_position": 2})


def posts(peer: PeerThread) -> int:
    return sum(request.method == "POST" for request in peer.requests)


@pytest.mark.parametrize(
    ("minutes", "meanwhile"), [(10, Status.UNCERTAIN), (-10, Status.SUBMITTING)]
)
def test_what_one_sends_the_other_neither_sends_nor_loses(
    minutes: int, meanwhile: Status, loop: Any, peer: PeerThread, team: Team, owner: User
) -> None:
    row, answered = make_request(team=team, person=owner), asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        await RECEIPT(writer)

    peer.will(late)
    loop.spawn(advance(row.pk))
    wait_for(lambda: posts(peer) == 1)
    there = timezone.now() + timedelta(minutes=minutes)
    lifecycle.expire_lease(
        row.pk, now=there
    )  # its sweep takes the lease for one that ran out, or not
    assert fresh(row).status == meanwhile
    assert not FalRequest.objects.due(there).filter(pk=row.pk, status=Status.PENDING).exists()
    assert lifecycle.start_attempt(row.pk, now=there) is None
    peer.release(answered)
    wait_for(lambda: fresh(row).status == Status.IN_QUEUE)
    assert (posts(peer), fresh(row).fal_request_id) == (1, "r-1")


def test_a_worker_ahead_looks_too_early_and_that_is_all(
    loop: Any, peer: PeerThread, queued: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = FalRequest.objects.take_lease(queued.pk, timezone.now(), lifecycle.LEASE)
    assert lease
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(minutes=10))
    peer.will(says(200, {"status": "COMPLETED"}), says(200, {"text": "here"}))
    loop.run(advance(queued.pk), timeout_s=20)
    assert fresh(queued).status == Status.COMPLETED
    monkeypatch.undo()
    lifecycle.release(
        lifecycle.Release(queued.pk, lease, right())
    )  # the first one's look ends after all
    assert (fresh(queued).status, fresh(queued).due_at, posts(peer)) == (Status.COMPLETED, None, 0)
