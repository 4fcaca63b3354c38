"""The strip of results: which rows it shows, and what it costs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app import lifecycle
from requests_app.batches import newest
from requests_app.models import BatchItem
from tests.batches.conftest import make_batch
from tests.batches.test_feeding import end_open, turn


def numbers(batch):
    return [item.number for item in newest.newest_ended(batch)]


def test_rows_that_completed_or_failed_are_shown_newest_first(team, owner):
    batch = make_batch(team, owner, rows=6, concurrency=2)
    assert numbers(batch) == []
    for error in (None, "boom"):
        turn(batch)
        end_open(batch, error=error)
    turn(batch)
    assert numbers(batch) == [4, 3, 2, 1]
    assert [item.state for item in newest.newest_ended(batch)][1:3] == ["failed", "completed"]


def test_a_row_whose_request_is_gone_is_left_out(team, owner):
    batch = make_batch(team, owner, rows=2)
    turn(batch)
    end_open(batch)
    turn(batch)
    batch.items.get(number=2).request.delete()
    lifecycle.remove_payload(batch.items.get(number=1).request.pk, days=1, now=timezone.now())
    assert numbers(batch) == [1]


def test_many_rows_cost_no_more_than_few(team, owner, monkeypatch):
    monkeypatch.setattr(newest, "MOST", 3)
    batch = make_batch(team, owner, rows=8)
    turn(batch)
    end_open(batch)
    turn(batch)
    with CaptureQueriesContext(connection) as sent:
        assert numbers(batch) == [8, 7, 6]
    assert len(sent) == len(newest.ENDS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = (
        BatchItem.objects.filter(batch=batch, state="completed").order_by("-number")[:3].explain()
    )
    assert "SCAN requests_app_batchitem" not in plan and "TEMP B-TREE" not in plan


@pytest.mark.parametrize("ended", [True, False])
def test_no_row_of_another_batch_is_shown(team, owner, ended):
    batch, other = make_batch(team, owner, rows=1), make_batch(team, owner, rows=1)
    turn(other)
    end_open(other)
    turn(other)
    if ended:
        turn(batch)
        end_open(batch)
        turn(batch)
    assert numbers(batch) == ([1] if ended else [])
    assert all(item.batch_id == batch.pk for item in newest.newest_ended(batch))
