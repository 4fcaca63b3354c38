"""Once a day, in pieces, whichever worker does it, and told afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import AuditAct, AuditEntry, FalDeletion, FalRequest, RetentionRun, Team
from requests_app.upkeep import retention, retention_runs
from tests.upkeep.test_retention import keep, make_ended

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def work(now: object = None) -> int:
    pieces = 0
    while retention_runs.run_piece(timezone.now()):
        pieces += 1
    return pieces


def test_a_team_with_days_has_one_run_a_day_and_others_have_none(team: Team, stranger: User):
    now = timezone.now()
    retention_runs.begin_due(now)
    assert not RetentionRun.objects.exists()
    keep(team, payload=10)
    for _ in range(3):
        retention_runs.begin_due(now)
    assert RetentionRun.objects.get().team == team
    assert not retention_runs.begin(team, now)  # one is under way
    work()
    retention_runs.begin_due(now + DAY - timedelta(minutes=1))
    assert RetentionRun.objects.count() == 1
    retention_runs.begin_due(now + DAY + timedelta(minutes=1))
    assert RetentionRun.objects.count() == 2


def test_a_run_removes_all_that_is_due_in_pieces_and_says_so(team, owner, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        make_ended(team, owner, days=20 + number, request_id=f"old {number}")
    young = make_ended(team, owner, days=1, request_id="young")
    keep(team, payload=10, rows=23)
    retention_runs.begin(team, timezone.now(), person=owner)
    assert work() > 3
    left = dict(FalRequest.objects.values_list("fal_request_id", "payload_removed_at"))
    assert left.pop(young.fal_request_id) is None
    assert len(left) == 3 and all(left.values())
    run = RetentionRun.objects.get()
    assert run.ended_at and run.removed["rows"]["count"] == 2
    assert run.removed["payload"]["count"] == 3 and run.removed["payload"]["size"] > 0
    told = AuditEntry.objects.get(act=AuditAct.PRUNED)
    assert told.actor == owner.get_username() and told.chain == team.pk


def test_a_run_says_of_how_many_requests_fal_was_asked(team, owner):
    ids = ("00000001-1111-4222-8333-444444444444", "no id of fal's form")
    for request_id in ids:
        make_ended(team, owner, days=20, request_id=request_id)
    retention.set_at_fal(keep(team, payload=10), is_on=True)
    retention_runs.begin(team, timezone.now())
    work()
    [asked] = FalDeletion.objects.all()
    assert asked.fal_request_id == ids[0] and asked.is_waiting and asked.due_at <= timezone.now()
    assert RetentionRun.objects.get().removed["payload"]["at_fal"] == 1
    assert '"at_fal":1' in AuditEntry.objects.get(act=AuditAct.PRUNED).details


def test_another_worker_goes_on_where_one_has_died(team, owner):
    make_ended(team, owner, days=20)
    keep(team, payload=10)
    retention_runs.begin(team, timezone.now())
    RetentionRun.objects.update(leased_until=timezone.now() + retention_runs.LEASE)
    assert work() == 0  # the other one may still be at it
    RetentionRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert work() > 0
    assert RetentionRun.objects.get().ended_at


def test_old_runs_are_forgotten(team):
    keep(team, payload=10)
    for number in range(retention_runs.KEPT_RUNS + 3):
        retention_runs.begin(team, timezone.now() - number * DAY)
        work()
    assert RetentionRun.objects.count() <= retention_runs.KEPT_RUNS + 1
