"""What a user's actions leave when the batch, or its values, are not as they were."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import control
from requests_app.batches.results import as_csv, as_jsonl
from requests_app.models import Batch, BatchItem, BatchState
from requests_app.upkeep.expired import remove_expired
from tests.batches.conftest import counts, make_batch
from tests.batches.test_feeding import end_open, turn


def test_values_that_retention_removed_are_gone_and_their_rows_are_not_retried(team, owner):
    batch = make_batch(team, owner, rows=2)
    turn(batch)
    end_open(batch, error="boom")
    turn(batch)
    row = batch.items.get(number=1).request
    assert lifecycle.remove_payload(row.pk, days=1, now=timezone.now())
    assert b"s1" not in b"".join([*as_csv(batch), *as_jsonl(batch)])
    assert control.retry_failed(batch, person=owner, now=timezone.now()) == 1
    assert counts(batch) == {"waiting": 1, "failed": 1}


def test_a_row_whose_request_retention_removed_keeps_its_outcome(team, owner):
    batch = make_batch(team, owner, rows=2)
    turn(batch)
    end_open(batch)
    turn(batch)
    batch.items.get(number=1).request.delete()
    assert counts(batch) == {"completed": 2}
    assert b"".join(as_csv(batch)).count(b"completed") == 2


def test_batches_that_were_never_started_are_forgotten_and_others_are_not(team, owner):
    old, started = (make_batch(team, owner, is_started=is_started) for is_started in (False, True))
    Batch.objects.update(created_at=timezone.now() - timedelta(days=3))
    make_batch(team, owner, is_started=False)
    remove_expired(timezone.now())
    assert not BatchItem.objects.filter(batch=old.pk).exists()
    assert Batch.objects.count() == 2
    assert Batch.objects.get(pk=started.pk).state == BatchState.RUNNING
