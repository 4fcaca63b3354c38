"""The sweep: what is due is found, whatever message was lost, and it survives its faults."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Heartbeat, Status, Team
from requests_app.worker import sweep as sweep_module
from requests_app.worker.sweep import sweep
from tests.builders import fresh, make_request
from tests.fal.peer import hang, says
from tests.worker.conftest import PeerThread, busy_database, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_begins_every_due_row_once(loop: Any, peer: PeerThread, queued: FalRequest) -> None:
    peer.will(hang)
    assert loop.run(sweep()) == 1
    assert loop.run(sweep()) == 0  # under way
    wait_for(lambda: peer.requests)
    loop.run(asyncio.sleep(0.05))
    assert [received.method for received in peer.requests] == ["GET"]


def test_rows_that_are_not_due_or_held_or_not_looked_for_are_left_alone(
    loop: Any, peer: PeerThread, queued: FalRequest, team: Team, owner: User
) -> None:
    now = timezone.now()
    FalRequest.objects.take_lease(queued.pk, now, timedelta(minutes=1))
    later = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=later.pk).update(due_at=now + timedelta(minutes=1))
    lost = make_request(team=team, person=owner)
    lifecycle.start_attempt(lost.pk, now=timezone.now())
    lifecycle.mark_uncertain(lost.pk, "reset", now=timezone.now())
    FalRequest.objects.filter(pk=lost.pk).update(due_at=None)
    assert loop.run(sweep()) == 0


def test_it_shows_that_a_worker_sweeps(loop: Any, transactional_db: None) -> None:
    before = timezone.now()
    loop.run(sweep())
    first = Heartbeat.objects.get(part="sweep").at
    assert before <= first <= timezone.now()
    loop.run(sweep())
    assert Heartbeat.objects.get(part="sweep").at == first  # not a write for every beat


def test_a_lost_lease_comes_due_by_itself(loop: Any, peer: PeerThread, queued: FalRequest) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=long_ago)
    assert FalRequest.objects.take_lease(queued.pk, long_ago, timedelta(minutes=1))
    assert loop.run(sweep()) == 1


def test_a_row_whose_step_was_cut_before_it_began_is_swept_again(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    async def cut_at_once() -> None:
        sweep_module._begin(queued)
        for task in set(loop._tasks):
            task.cancel()
        await asyncio.sleep(0)

    loop.run(cut_at_once())
    peer.will(says(202, {"status": "IN_PROGRESS"}))
    assert loop.run(sweep()) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="how SQLite is locked")
def test_a_locked_database_fails_one_beat_and_the_next_goes_on(
    loop: Any, peer: PeerThread, queued: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
    connection.close()
    holder = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError):
        loop.run(sweep())
    holder.execute("ROLLBACK")
    holder.close()
    peer.will(says(202, {"status": "IN_PROGRESS"}))
    assert loop.run(sweep()) == 1
    loop.stop()
    assert fresh(queued).status == Status.IN_PROGRESS


def test_a_beat_that_waits_too_long_leaves_nothing_behind(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    with busy_database(), pytest.raises(TimeoutError):
        loop.run(sweep(), timeout_s=0.1)
    assert len(loop.run(_tasks())) == 1


async def _tasks() -> list[Any]:
    return list(asyncio.all_tasks())


@pytest.mark.slow
def test_where_more_polls_are_allowed_one_tick_sweeps_several_times(
    loop: Any, peer: PeerThread, queued: FalRequest, settings: Any
) -> None:
    settings.POLLS_PER_S = 1000
    soon = timezone.now() + timedelta(seconds=0.3)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=soon)
    peer.will(says(202, {"status": "IN_PROGRESS"}))
    loop.run(sweep())
    wait_for(lambda: fresh(queued).status == Status.IN_PROGRESS)
