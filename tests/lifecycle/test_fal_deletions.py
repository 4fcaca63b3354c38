"""Which requests fal can be asked about, and what is kept of the question."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import AuditEntry, FalDeletion, FalRequest, RequestOrigin
from tests.builders import fresh, hear, make_queued, make_result
from tests.fal.conftest import REQUEST_ID


def make_ended(team, owner, request_id=REQUEST_ID):
    row = make_queued(request_id, team=team, person=owner)
    hear(row, make_result())
    FalRequest.objects.filter(pk=row.pk).update(due_at=None)
    return fresh(row)


def test_only_what_fal_can_name_and_ran_for_this_site_is_asked_about(team, owner):
    named, unnamed = make_ended(team, owner), make_ended(team, owner, "req-1")
    assert lifecycle.why_not_at_fal(named) == ""
    assert "no id" in lifecycle.why_not_at_fal(unnamed)
    imported = FalRequest(origin=RequestOrigin.IMPORTED, fal_request_id=REQUEST_ID)
    assert "another installation" in lifecycle.why_not_at_fal(imported)
    now = timezone.now()
    # The deletion here does not depend on it.
    assert lifecycle.delete_payload(unnamed.pk, person=owner, now=now, at_fal=True)
    assert not FalDeletion.objects.exists()
    assert lifecycle.delete_payload(named.pk, person=owner, now=now)
    assert not FalDeletion.objects.exists()
    assert lifecycle.delete_at_fal(named.pk, person=owner, now=now)
    assert not lifecycle.delete_at_fal(named.pk, person=owner, now=now)
    entry = AuditEntry.objects.filter(act="request.delete_payload").latest("pk")
    assert (entry.actor, '"at_fal":true' in entry.details) == ("olga", True)


def test_one_worker_takes_a_deletion_and_a_late_answer_to_an_old_question_changes_nothing(
    team, owner
):
    row, now = make_ended(team, owner), timezone.now()
    lifecycle.delete_payload(row.pk, person=owner, now=now, at_fal=True)
    [taken] = lifecycle.take_fal_deletions(now, 9)
    assert lifecycle.take_fal_deletions(now, 9) == []
    lifecycle.note_fal_refused(taken, "No.", now=now)
    assert lifecycle.delete_at_fal(row.pk, person=owner, now=now + timedelta(seconds=1))
    lifecycle.note_fal_away(taken, "late", now=now)
    lifecycle.note_fal_unknown(taken, now=now)
    assert FalDeletion.objects.get().state == "waiting"


def test_answers_go_with_their_request_and_questions_do_not(team, owner):
    row, now = make_ended(team, owner), timezone.now()
    lifecycle.delete_payload(row.pk, person=owner, now=now, at_fal=True)
    lifecycle.forget_fal_deletions([row.public_id])
    [taken] = lifecycle.take_fal_deletions(now, 9)
    lifecycle.note_fal_unknown(taken, now=now)
    lifecycle.delete_request(row.pk, person=owner, now=now)
    assert not FalDeletion.objects.exists()
