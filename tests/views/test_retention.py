"""The page of retention: nothing is stored before it has said what would go."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app.models import AuditAct, AuditEntry, FalDeletion, FalRequest, RetentionRun, Team
from requests_app.upkeep.retention_runs import run_piece
from tests.browsers import Browser
from tests.builders import make_person
from tests.upkeep.test_retention import make_ended

PAGE, RUN = reverse("requests:retention"), reverse("requests:run_retention")


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_only_who_manages_comes_to_it(team, owner, role):
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    replies = client.get(PAGE), client.post(PAGE, {"payload": "1"}), client.post(RUN)
    assert [reply.status_code for reply in replies] == [403, 403, 403]
    assert Team.objects.get(pk=team.pk).payload_days is None
    assert not RetentionRun.objects.exists()


def test_a_dry_run_says_what_would_go_and_changes_nothing(as_owner, team, owner):
    make_ended(team, owner, days=20)
    shown = " ".join(as_owner.get(PAGE, {"payload": "10", "frames": "", "rows": ""}).text.split())
    assert "the next run removes, for good" in shown and "1 request," in shown
    assert "nothing would go now" in as_owner.get(PAGE, {"payload": "30"}).text
    assert Team.objects.get(pk=team.pk).payload_days is None
    assert FalRequest.objects.get().payload_removed_at is None


def test_days_are_stored_and_a_run_is_begun(as_owner, team, owner):
    said = as_owner.post(PAGE, {"payload": "10", "frames": "", "rows": "400"}, follow=True)
    assert "Stored." in said.text
    team.refresh_from_db()
    assert (team.payload_days, team.frames_days, team.rows_days) == (10, None, 400)
    assert AuditEntry.objects.filter(act=AuditAct.SETTING_CHANGED).count() == 2
    assert "The run has begun" in as_owner.post(RUN, follow=True).text
    assert "under way already" in as_owner.post(RUN, follow=True).text
    assert RetentionRun.objects.get().person == owner
    assert "by olga" in as_owner.get(PAGE).text


@pytest.mark.parametrize("typed", ["0", "-1", "36501", "x", "9" * 30])
def test_days_that_cannot_be_are_refused_and_stay(as_owner, team, typed):
    for reply in (as_owner.get(PAGE, {"payload": typed}), as_owner.post(PAGE, {"payload": typed})):
        assert reply.status_code == 422 and f'value="{typed}"' in reply.text
    assert Team.objects.get(pk=team.pk).payload_days is None


def test_a_dry_run_counts_what_would_go_at_fal_and_the_choice_is_stored(as_owner, team, owner):
    row = make_ended(team, owner, days=20, request_id="00000001-1111-4222-8333-444444444444")
    make_ended(team, owner, days=20, request_id="no id of fal's form")
    plain = as_owner.get(PAGE, {"payload": "10"}).text
    assert "of them too" not in plain and 'name="at_fal" value="1">' not in plain
    both = as_owner.get(PAGE, {"payload": "10", "at_fal": "1"}).text
    assert (
        "fal is asked to delete 1 of them too" in " ".join(both.split())
        and 'name="at_fal" value="1">' in both
    )
    assert not Team.objects.get(pk=team.pk).retention_at_fal
    as_owner.post(PAGE, {"payload": "10", "at_fal": "1"})
    assert Team.objects.get(pk=team.pk).retention_at_fal
    assert not FalDeletion.objects.exists()
    as_owner.post(RUN)
    while run_piece(timezone.now()):
        pass
    page = " ".join(as_owner.get(PAGE).text.split())
    assert "fal asked to delete 1" in page and "1 waiting. What waits" in page
    assert FalDeletion.objects.get().public_id == row.public_id
    as_owner.post(PAGE, {"payload": "10"})
    assert not Team.objects.get(pk=team.pk).retention_at_fal
