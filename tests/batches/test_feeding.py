"""The feeder's turns: how many requests are open, what ends count for, and when a batch stops by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import control, feeding
from requests_app.models import (
    Batch,
    BatchItem,
    BatchState,
    FalRequest,
    Membership,
    Role,
    Source,
    Team,
    turns,
)
from tests.batches.conftest import counts, inputs, make_batch
from tests.builders import hear, make_receipt, make_result


def turn(batch: Batch) -> None:
    """A turn as the worker gives it."""
    now = timezone.now()
    feeding.settle(batch.pk, now)
    while feeding.refill(batch.pk, now):
        pass
    batch.refresh_from_db()


def end(row: FalRequest, *, error: str | None = None, output: Any = None) -> None:
    """fal has taken it and says how it ended."""
    attempt = lifecycle.start_attempt(row.pk, now=timezone.now())
    assert attempt
    hear(row, make_receipt(f"r{row.pk}"), source=Source.SUBMIT_REPLY)
    hear(row, make_result(error=error, code=500 if error else 200, output=output))


def end_open(batch: Batch, *, error: str | None = None) -> None:
    for row in FalRequest.objects.filter(batch_item__batch=batch, batch_item__state="open"):
        end(row, error=error)


def test_as_many_requests_are_open_as_the_batch_allows(batch):
    turn(batch)
    turn(batch)
    assert counts(batch) == {"waiting": 3, "open": 2}
    assert inputs(batch) == [{"prompt": "a s1", "seed": 1}, {"prompt": "a s2", "seed": 2}]
    row = FalRequest.objects.earliest("id")
    assert (row.team, row.person, row.endpoint_id) == (batch.team, batch.person, "acme/img")
    assert row.observations.get().note == "Created by olga."


def test_what_has_ended_makes_room_and_the_last_end_finishes_the_batch(batch):
    for expected in ({"waiting": 1, "open": 2, "completed": 2}, {"open": 1, "completed": 4}):
        turn(batch)
        end_open(batch)
        turn(batch)
        assert counts(batch) == expected
    end_open(batch)
    turn(batch)
    assert counts(batch) == {"completed": 5}
    assert (batch.state, batch.due_at) == (BatchState.FINISHED, None)
    assert batch.ended_at is not None
    assert [one["seed"] for one in inputs(batch)] == [1, 2, 3, 4, 5]


def create(batch: Batch, *turns: lifecycle.Turn) -> int:
    return lifecycle.create_for_items(batch.pk, turns, person=batch.person, now=timezone.now())


def _draft(batch: Batch) -> Any:
    from tests.builders import make_draft

    return make_draft(endpoint_id=batch.endpoint_id)


def test_a_row_that_another_process_took_makes_no_second_request(batch):
    first = lifecycle.Turn(batch.items.get(number=1).pk, _draft(batch))
    second = lifecycle.Turn(batch.items.get(number=2).pk, _draft(batch))
    assert create(batch, first) == 1
    assert create(batch, first, second) == 1
    assert FalRequest.objects.count() == 2
    assert counts(batch) == {"waiting": 3, "open": 2}


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_after_a_pause_or_cancel_no_request_follows(batch, owner, act):
    turns = [lifecycle.Turn(item.pk, _draft(batch)) for item in batch.items.all()]
    extra = {"person": owner} if act == "cancel" else {}
    assert getattr(control, act)(batch, now=timezone.now(), **extra)
    assert create(batch, *turns) == 0  # a turn that had read the rows before
    assert not FalRequest.objects.exists()


def test_a_paused_batch_counts_its_open_rows_and_goes_on_when_resumed(batch, teammate):
    turn(batch)
    control.pause(batch, now=timezone.now())
    end_open(batch)
    turn(batch)
    assert counts(batch) == {"waiting": 3, "completed": 2}
    assert control.resume(batch, person=teammate, now=timezone.now())
    turn(batch)
    assert counts(batch) == {"waiting": 1, "open": 2, "completed": 2}
    assert FalRequest.objects.latest("id").person == teammate


def test_a_cancelled_batch_ends_waiting_rows_at_once_and_asks_for_the_open_ones(batch, owner):
    turn(batch)
    sent = FalRequest.objects.earliest("id")
    assert lifecycle.start_attempt(sent.pk, now=timezone.now())
    assert control.cancel(batch, person=owner, now=timezone.now())
    assert counts(batch) == {"open": 2, "cancelled": 3}
    turn(batch)
    turn(batch)
    assert counts(batch) == {"open": 1, "cancelled": 4}  # the other one had not been sent
    sent.refresh_from_db()
    assert sent.is_cancelling
    hear(sent, make_receipt("r1"), source=Source.SUBMIT_REPLY)
    hear(sent, make_result())
    turn(batch)
    assert counts(batch) == {"completed": 1, "cancelled": 4}
    assert (batch.state, batch.due_at) == (BatchState.CANCELLED, None)


def test_failed_rows_are_retried_as_new_requests_that_name_the_old(batch, teammate):
    turn(batch)
    end_open(batch, error="boom")
    turn(batch)
    end_open(batch)
    turn(batch)
    end_open(batch)
    turn(batch)
    assert counts(batch) == {"completed": 3, "failed": 2}
    assert batch.state == BatchState.FINISHED
    assert control.retry_failed(batch, person=teammate, now=timezone.now()) == 2
    turn(batch)
    assert counts(batch) == {"open": 2, "completed": 3}
    repeats = FalRequest.objects.exclude(again_of=None).order_by("id")
    assert [row.again_of.status for row in repeats] == ["failed", "failed"]
    assert [row.input_text for row in repeats] == [row.again_of.input_text for row in repeats]
    end_open(batch)
    turn(batch)
    assert counts(batch) == {"completed": 5}
    assert FalRequest.objects.count() == 7


def test_an_uncertain_request_keeps_its_place(batch):
    turn(batch)
    row = FalRequest.objects.earliest("id")
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "reset", now=timezone.now())
    turn(batch)
    assert counts(batch) == {"waiting": 3, "open": 2}


def test_a_batch_whose_rows_fail_one_after_the_other_pauses_itself(team, owner, monkeypatch):
    monkeypatch.setattr(feeding, "MOST_FAILED_IN_ROW", 4)
    batch = make_batch(team, owner, rows=9, concurrency=2)
    for _ in range(2):
        turn(batch)
        end_open(batch, error="no balance")
    turn(batch)
    assert (batch.state, batch.note[:17]) == (BatchState.PAUSED, "The last 4 rows f")
    assert counts(batch) == {"waiting": 5, "failed": 4}
    control.resume(batch, person=owner, now=timezone.now())
    turn(batch)
    assert counts(batch)["open"] == 2


@pytest.mark.parametrize("loss", ["removed", "viewer", "inactive"])
def test_a_batch_ends_with_the_right_of_its_user(batch, owner, loss):
    if loss == "removed":
        Membership.objects.filter(user=owner).delete()
    elif loss == "viewer":
        Membership.objects.filter(user=owner).update(role=Role.VIEWER)
    else:
        type(owner).objects.filter(pk=owner.pk).update(is_active=False)
    turn(batch)
    assert batch.state == BatchState.PAUSED
    assert "may no longer submit" in batch.note
    assert not FalRequest.objects.exists()


def test_only_what_is_due_and_free_is_leased(batch):
    now = timezone.now()
    held = Batch.objects.take_turn(batch.pk, now)
    assert held and Batch.objects.take_turn(batch.pk, now) is None
    assert Batch.objects.next_in_turn(now) == []
    died_at = now + turns.LEASE + timedelta(seconds=1)
    assert Batch.objects.next_in_turn(died_at) == [batch.pk]
    assert Batch.objects.take_turn(batch.pk, died_at)
    Batch.objects.end_turn(held, now, idle=feeding.IDLE)  # another process has it now
    assert Batch.objects.next_in_turn(now + timedelta(seconds=2)) == []
    Batch.objects.filter(pk=batch.pk).update(lease=held.lease)
    Batch.objects.end_turn(held, now, idle=feeding.IDLE)
    assert Batch.objects.next_in_turn(now) == []
    assert Batch.objects.next_in_turn(now + timedelta(seconds=2)) == [batch.pk]


def test_a_lease_is_renewed_until_another_process_has_the_batch(batch):
    now = timezone.now()
    held = Batch.objects.take_turn(batch.pk, now)
    assert held
    later = now + turns.LEASE + timedelta(seconds=1)
    assert Batch.objects.renew_turn(held, later)
    assert Batch.objects.take_turn(batch.pk, later + turns.LEASE / 2) is None
    other = Batch.objects.take_turn(batch.pk, later + turns.LEASE + timedelta(seconds=1))
    assert other and not Batch.objects.renew_turn(held, later)
    assert Batch.objects.renew_turn(other, later)


def test_a_team_with_many_batches_does_not_keep_another_from_its_turn(team, owner, stranger):
    for _ in range(turns.AT_MOST + 5):
        make_batch(team, owner, rows=1)
    other = make_batch(Team.objects.get(name="Other"), stranger, rows=1)
    now, rounds = timezone.now(), []
    for second in range(2):
        at = now + second * timedelta(seconds=5)
        rounds.append(Batch.objects.next_in_turn(at))
        for pk in rounds[-1]:
            held = Batch.objects.take_turn(pk, at)
            assert held
            Batch.objects.end_turn(held, at, idle=feeding.IDLE)
    assert other.pk not in rounds[0]
    assert other.pk in rounds[1]


@pytest.mark.parametrize(
    ("state", "is_due"), [("running", True), ("cancelling", True), ("paused", False)]
)
def test_a_batch_with_nothing_to_do_costs_no_turn(batch, state, is_due):
    Batch.objects.filter(pk=batch.pk).update(state=state)
    held = Batch.objects.take_turn(batch.pk, timezone.now())
    assert held
    Batch.objects.end_turn(held, timezone.now(), idle=feeding.IDLE)
    batch.refresh_from_db()
    assert (batch.due_at is not None) is is_due


def test_the_rate_and_the_time_left_are_measured(batch):
    Batch.objects.filter(pk=batch.pk).update(completed=2, waiting=3, marked_done=0)
    feeding.settle(batch.pk, batch.marked_at + timedelta(seconds=10))
    batch.refresh_from_db()
    assert (batch.rate, batch.left) == (0.2, timedelta(seconds=15))


PLANS = [
    lambda batch: Batch.objects.due(timezone.now()).order_by("due_at")[:20],
    lambda batch: batch.items.filter(state="waiting").order_by("number")[:20],
    lambda batch: batch.items.filter(state="open"),
    lambda batch: batch.items.filter(number__gt=50).order_by("number")[:51],
    lambda batch: Batch.objects.filter(team=batch.team).order_by("-id")[:100],
]


@pytest.mark.parametrize("query", PLANS)
def test_a_turn_reads_by_an_index_whatever_was_done_before(team, owner, query):
    batch = make_batch(team, owner, rows=10)
    others = [make_batch(team, owner, rows=2) for _ in range(3)]
    BatchItem.objects.bulk_create(
        BatchItem(batch=other, number=100 + number, state="completed")
        for other in (batch, *others)
        for number in range(300)
    )
    Batch.objects.exclude(pk=batch.pk).update(due_at=None, state="finished")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = query(batch).explain()
    assert "SCAN requests_app_batchitem" not in plan
    assert "Seq Scan on requests_app_batchitem" not in plan
    assert "SCAN requests_app_batch\n" not in f"{plan}\n"
