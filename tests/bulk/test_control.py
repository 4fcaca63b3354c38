"""What a member does to a bulk action while it runs, and that each call says whether it changed anything."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app.bulk import control, working
from requests_app.models import BulkAction, BulkItem, BulkState, FalRequest, Outcome
from tests.bulk.conftest import counts, make_bulk, make_rows, turn


@pytest.fixture
def bulk(team, owner, monkeypatch) -> BulkAction:
    """Five requests, of which two have been cancelled."""
    make_rows(team, owner, 5)
    made = make_bulk(team, owner)
    monkeypatch.setattr(working, "AT_ONCE", 2)
    assert working.refill(made.pk, timezone.now()) == 2
    return made


def test_a_paused_action_does_nothing_until_it_is_resumed(bulk, teammate):
    assert control.pause(bulk, now=timezone.now())
    turn(bulk)
    assert counts(bulk) == {"waiting": 3, "done": 2}
    assert not control.pause(bulk, now=timezone.now())
    assert control.resume(bulk, person=teammate, now=timezone.now())
    turn(bulk)
    assert (counts(bulk), bulk.state) == ({"done": 5}, BulkState.FINISHED)
    notes = FalRequest.objects.latest("pk").observations.values_list("note", flat=True)
    assert "Cancelled by tom before it was sent." in notes


def test_a_stopped_action_leaves_the_rest_as_it_is_for_good(bulk, owner):
    assert control.stop(bulk, now=timezone.now())
    turn(bulk)
    assert counts(bulk) == {"done": 2, "skipped": 3}
    assert FalRequest.objects.filter(status="pending").count() == 3
    assert not control.resume(bulk, person=owner, now=timezone.now())
    assert not control.stop(bulk, now=timezone.now())
    assert (bulk.state, bulk.due_at) == (BulkState.STOPPED, None)


def test_what_failed_waits_again_and_a_finished_action_runs_again(bulk, owner):
    assert control.retry_failed(bulk, person=owner, now=timezone.now()) == 0
    turn(bulk)
    item = BulkItem.objects.latest("pk")
    BulkItem.objects.filter(pk=item.pk).update(outcome=Outcome.FAILED)
    BulkAction.objects.update(succeeded=4, failed=1)
    assert control.retry_failed(bulk, person=owner, now=timezone.now()) == 1
    assert counts(bulk) == {"waiting": 1, "done": 4}
    turn(bulk)  # the request was cancelled the first time
    assert (counts(bulk), bulk.state) == ({"done": 4, "skipped": 1}, BulkState.FINISHED)
