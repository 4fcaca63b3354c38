"""Requests of a batch's rows: made once, however many processes take the rows at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import Batch, FalRequest, Team
from tests.batches.conftest import counts, make_batch
from tests.builders import make_draft

pytestmark = pytest.mark.django_db(transaction=True)


def test_workers_that_take_the_same_rows_make_one_request_for_each(team: Team, owner: User) -> None:
    batch = make_batch(team, owner, rows=20)
    Batch.objects.filter(pk=batch.pk).update(concurrency=20)
    turns = [lifecycle.Turn(item.pk, make_draft()) for item in batch.items.order_by("number")]
    start, made = threading.Barrier(4), []

    def take(mine: list[lifecycle.Turn]) -> None:
        try:
            start.wait(10)
            for at in range(0, len(mine), 5):
                some = mine[at : at + 5]
                made.append(
                    lifecycle.create_for_items(batch.pk, some, person=owner, now=timezone.now())
                )
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[turns]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(made) == FalRequest.objects.count() == 20
    assert counts(batch) == {"open": 20}
    assert batch.items.values("request").distinct().count() == 20


def test_a_worker_that_is_late_fills_only_the_places_that_are_left(team: Team, owner: User) -> None:
    batch = make_batch(team, owner, rows=8)
    Batch.objects.filter(pk=batch.pk).update(concurrency=5)
    turns = [lifecycle.Turn(item.pk, make_draft()) for item in batch.items.order_by("number")]
    for some, made in ((turns[:4], 4), (turns[4:], 1)):
        now = timezone.now()
        assert lifecycle.create_for_items(batch.pk, some, person=owner, now=now) == made
    assert counts(batch) == {"open": 5, "waiting": 3}


def test_a_worker_that_dies_between_request_and_mark_leaves_neither(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(team, owner, rows=3)
    turns = [lifecycle.Turn(item.pk, make_draft()) for item in batch.items.order_by("number")]
    store, calls = lifecycle.items.store, []

    def dies(*args: Any) -> Any:
        row = store(*args)
        calls.append(row.pk)
        if len(calls) == 2:
            raise SystemExit  # after its INSERT, before the mark
        return row

    monkeypatch.setattr(lifecycle.items, "store", dies)
    with pytest.raises(SystemExit):
        lifecycle.create_for_items(batch.pk, turns, person=owner, now=timezone.now())
    assert not FalRequest.objects.exists()
    assert counts(batch) == {"waiting": 3}
    monkeypatch.undo()
    lifecycle.create_for_items(batch.pk, turns, person=owner, now=timezone.now())
    assert counts(batch) == {"open": 3}
