"""The feeder in the worker's loop: a batch goes through by itself, and one batch's trouble is not another's."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from requests_app.batches import feeding
from requests_app.models import Batch, BatchState, FalRequest, Team
from requests_app.worker import feeder
from requests_app.worker.sweep import sweep
from tests.batches.conftest import counts, make_batch
from tests.worker.conftest import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def is_over(loop: Any, batch: Batch) -> bool:
    loop.run(sweep())
    batch.refresh_from_db()
    return batch.state == BatchState.FINISHED and batch.lease is None


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
    assert batch.due_at is None


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
