"""The feeder in the worker's loop: a batch goes through by itself, and one batch's trouble is not another's."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app.batches import feeding
from requests_app.models import Batch, BatchState, FalRequest, Team, turns
from requests_app.worker import feeder
from requests_app.worker.sweep import sweep
from tests.batches.conftest import counts, make_batch
from tests.worker.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def is_over(loop: Any, batch: Batch) -> bool:
    loop.run(sweep())
    batch.refresh_from_db()
    is_at_rest = batch.lease is None and batch.due_at is None  # the turn that ends it has ended too
    return batch.state == BatchState.FINISHED and is_at_rest


@pytest.mark.slow
def test_a_batch_goes_through_and_each_row_is_sent_once(
    loop: Any, at_sandbox: Any, team: Team, owner: User
) -> None:
    before = len(at_sandbox.ledger)
    text = {"message": "{{subject}}", "number": "{{seed}}"}
    batch = make_batch(team, owner, rows=12, concurrency=3, endpoint_id="sandbox/echo", input=text)
    wait_for(lambda: is_over(loop, batch), seconds=40)
    assert (batch.state, counts(batch)) == (BatchState.FINISHED, {"completed": 12})
    sent = at_sandbox.ledger[before:]
    assert len(sent) == len({entry.body_sha256 for entry in sent}) == 12


@pytest.mark.slow
def test_no_more_requests_are_open_than_the_batch_allows(
    loop: Any, at_sandbox: Any, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    most: list[int] = []
    refill = feeding.refill

    def watched(pk: int, now: Any) -> int:
        made = refill(pk, now)
        live = FalRequest.objects.live().filter(batch_item__batch=pk)
        most.append(live.count())
        return made

    monkeypatch.setattr(feeding, "refill", watched)
    text = {"message": "{{subject}}", "n": "{{seed}}"}
    batch = make_batch(team, owner, rows=8, concurrency=2, endpoint_id="sandbox/echo", input=text)
    wait_for(lambda: is_over(loop, batch), seconds=40)
    assert max(most) == 2


@pytest.mark.parametrize("error", [RuntimeError("odd"), OperationalError("away")])
def test_a_turn_that_fails_is_given_again(
    loop: Any, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    batch = make_batch(team, owner, rows=1)
    settle, failures = feeding.settle, [error]

    def failing(*args: Any) -> int:
        if failures:
            raise failures.pop()
        return settle(*args)

    monkeypatch.setattr(feeding, "settle", failing)
    for _ in range(2):
        Batch.objects.update(due_at=batch.created_at)
        loop.run(feeder.feed())
    assert counts(batch) == {"open": 1}


def slowly(monkeypatch: pytest.MonkeyPatch, seconds: float, look: Callable[[int], None]) -> None:
    """Each refill takes so long, and the test looks meanwhile."""
    refill = feeding.refill

    def slow(pk: int, now: Any) -> int:
        time.sleep(seconds)
        look(pk)
        return refill(pk, now)

    monkeypatch.setattr(feeding, "refill", slow)


@pytest.mark.slow
def test_a_batch_behind_a_slow_turn_is_free_for_another_process(
    loop: Any, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [make_batch(team, owner, rows=1) for _ in range(2)]
    leased: list[set[int]] = []
    slowly(monkeypatch, 0, lambda pk: leased.append(set(leases()) - {pk}))
    loop.run(feeder.feed())
    assert leased and not any(leased)
    assert [counts(batch) for batch in batches] == [{"open": 1}] * 2


def leases() -> list[int]:
    return list(Batch.objects.exclude(lease=None).values_list("pk", flat=True))


@pytest.mark.slow
def test_a_turn_longer_than_its_lease_stays_the_only_one(
    loop: Any, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LEASE", timedelta(seconds=2))
    batch = make_batch(team, owner, rows=3, concurrency=3)
    others: list[object] = []
    slowly(monkeypatch, 0.8, lambda pk: others.append(Batch.objects.take_turn(pk, timezone.now())))
    start = timezone.now()
    loop.run(feeder.feed())
    assert timezone.now() - start > turns.LEASE
    assert others == [None] * 3
    assert counts(batch) == {"open": 3}


def test_a_turn_whose_lease_was_lost_does_nothing_more(
    loop: Any, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(team, owner, rows=3, concurrency=3)
    other, looks = uuid4(), []

    def lose(pk: int) -> None:
        looks.append(pk)
        Batch.objects.filter(pk=pk).update(lease=other)

    slowly(monkeypatch, 0, lose)
    loop.run(feeder.feed())
    assert looks == [batch.pk]
    batch.refresh_from_db()
    assert batch.lease == other
