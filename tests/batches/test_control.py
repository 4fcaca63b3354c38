"""What a user's actions leave when the batch, or its values, are not as they were."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import control
from requests_app.batches.making import Plan, check_rows, make
from requests_app.batches.results import as_csv, as_jsonl
from requests_app.batches.sheet import rows_of
from requests_app.models import Batch, BatchItem, BatchState, FalRequest
from requests_app.upkeep.expired import remove_expired
from tests.batches.conftest import counts, inputs, make_batch
from tests.batches.test_feeding import end, end_open, turn
from tests.builders import make_draft


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


def give_up_first(batch, owner):
    """The first row's request is given up, all others fail."""
    turn(batch)
    row = batch.items.get(number=1).request
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "reset", now=timezone.now())
    assert lifecycle.give_up(row.pk, person=owner, now=timezone.now())
    for other in FalRequest.objects.filter(batch_item__batch=batch).exclude(pk=row.pk):
        end(other, error="boom")
    turn(batch)


def test_a_retry_leaves_out_what_was_given_up(team, owner):
    batch = make_batch(team, owner, rows=3)
    give_up_first(batch, owner)
    assert control.retry_failed(batch, person=owner, now=timezone.now()) == 2
    assert (counts(batch), batch.state) == ({"waiting": 2, "failed": 1}, BatchState.RUNNING)
    assert batch.items.get(state="failed").number == 1
    assert control.count_given_up(batch) == 1


def test_a_retry_of_a_paused_batch_sends_nothing(team, owner):
    batch = make_batch(team, owner, rows=4, concurrency=2)
    turn(batch)
    end_open(batch, error="boom")
    assert control.pause(batch, now=timezone.now(), note="Look first.")
    turn(batch)
    assert control.retry_failed(batch, person=owner, now=timezone.now()) == 2
    turn(batch)
    assert (counts(batch), batch.state) == ({"waiting": 4}, BatchState.PAUSED)
    assert batch.note == "Look first."


def test_a_row_that_waits_again_keeps_its_values_until_it_is_sent(team, owner):
    batch = make_batch(team, owner, rows=1)
    turn(batch)
    end_open(batch, error="boom")
    turn(batch)
    failed = batch.items.get().request
    assert control.retry_failed(batch, person=owner, now=timezone.now()) == 1
    assert lifecycle.remove_payload(failed.pk, days=1, now=timezone.now())
    turn(batch)
    assert inputs(batch) == [{"prompt": "a s1", "seed": 1}]


def test_a_row_without_values_is_ended_and_not_sent(team, owner):
    batch = make_batch(team, owner, rows=3, input={"seed": "{{seed}}"})
    batch.items.exclude(number=2).update(values="")
    turn(batch)
    assert counts(batch) == {"open": 1, "cancelled": 2}
    assert inputs(batch) == [{"seed": 2}]
    end_open(batch)
    turn(batch)
    assert (batch.state, batch.note[:22]) == (BatchState.FINISHED, "Row 1 and others were ")


def test_a_row_that_leaves_every_variable_out_is_sent(team, owner):
    plan = Plan(make_draft(input={"seed": "{{seed}}"}))
    checked = check_rows(plan, lambda: rows_of(["{}", '{"seed": 1}']), team)
    batch = make(plan, checked, team=team, person=owner, now=timezone.now())
    assert control.start(batch, person=owner, now=timezone.now())
    turn(batch)
    assert inputs(batch) == [{}, {"seed": 1}]


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
