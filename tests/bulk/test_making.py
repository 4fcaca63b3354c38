"""Storing a confirmed action: each request once, one action for one page, nothing half-stored that runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from requests_app.bulk import making
from requests_app.bulk.making import TooMany, remove_cut_short
from requests_app.models import BulkAction, BulkState, FalRequest, Status
from tests.bulk.conftest import counts, make_bulk, make_rows


def test_each_request_that_qualifies_is_noted_once_and_oldest_first(team, owner, monkeypatch):
    monkeypatch.setattr(making, "AT_ONCE", 3)
    rows = make_rows(team, owner, 8)
    FalRequest.objects.filter(pk=rows[3].pk).update(status=Status.COMPLETED)
    bulk = make_bulk(team, owner, reason="wrong prompt", search="status:active")
    assert counts(bulk) == {"waiting": 7}
    keys = list(bulk.items.order_by("pk").values_list("request_id", flat=True))
    assert keys == [row.pk for row in rows if row != rows[3]]
    assert (bulk.state, bulk.reason, bulk.search) == (
        BulkState.RUNNING,
        "wrong prompt",
        "status:active",
    )
    assert bulk.left_out == [["It had already ended.", 1]]
    assert bulk.due_at is not None


def test_a_page_that_is_sent_twice_is_one_action(team, owner):
    make_rows(team, owner, 2)
    first = make_bulk(team, owner, token="a" * 32)
    second = make_bulk(team, owner, token="a" * 32)
    assert first == second
    assert counts(second) == {"waiting": 2}


def test_an_action_on_nothing_has_ended_at_once(team, owner):
    bulk = make_bulk(team, owner)
    assert (bulk.state, bulk.total, bulk.due_at) == (BulkState.FINISHED, 0, None)
    assert bulk.ended_at is not None


def test_more_than_one_action_takes_is_refused_with_both_numbers(team, owner, monkeypatch):
    monkeypatch.setattr(making, "MOST", 2)
    make_rows(team, owner, 3)
    with pytest.raises(TooMany, match="3 requests; one action takes up to 2"):
        make_bulk(team, owner)
    assert not BulkAction.objects.exists()


def test_an_action_that_a_crash_cut_short_does_nothing_and_is_forgotten(team, owner):
    make_rows(team, owner, 2)
    bulk = make_bulk(team, owner)
    BulkAction.objects.update(state=BulkState.STORING)
    now = timezone.now()
    remove_cut_short(now)
    assert BulkAction.objects.filter(pk=bulk.pk).exists()
    remove_cut_short(now + timedelta(hours=2))
    assert not BulkAction.objects.exists()
    assert FalRequest.objects.count() == 2
