"""The page that deletes a team says what goes, and deletes nothing by accident."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import Role, Team
from tests.browsers import Browser
from tests.builders import hear, make_person, make_queued, make_result

PAGE = reverse("requests:delete_team")


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_only_owners_come_to_it(team, owner, stranger, role):
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"name": team.name}).status_code == 403
    assert Team.objects.filter(pk=team.pk, deleting_at=None).exists()


def test_it_counts_what_goes_and_warns_of_what_is_open_at_fal(as_owner, team, owner, stranger):
    assert "open at fal" not in as_owner.get(PAGE).text
    make_queued(team=team, person=owner)
    shown = as_owner.get(PAGE).text
    assert "1 request is open at fal" in " ".join(shown.split())


def test_the_only_team_is_told_why_it_stays_before_anything_is_typed(as_owner, team):
    Team.objects.exclude(pk=team.pk).delete()
    shown = as_owner.get(PAGE).text
    assert "This team cannot be deleted" in shown and "only team" in shown
    assert 'name="name"' not in shown
    assert as_owner.post(PAGE, {"name": team.name}).status_code == 422
    assert Team.objects.filter(pk=team.pk, deleting_at=None).exists()


def test_a_wrong_name_is_said_and_stays_and_the_right_one_deletes(as_owner, team, owner, stranger):
    reply = as_owner.post(PAGE, {"name": "other <b>", "cancel": "on"})
    assert reply.status_code == 422
    assert "type it as it stands above" in reply.text and 'value="other &lt;b&gt;"' in reply.text
    team.memberships.create(user=make_person("second"), role=Role.OWNER)
    reply = as_owner.post(PAGE, {"name": f" {team.name} "}, follow=True)
    assert reply.status_code == 403 and "no team yet" in reply.text
    assert Team.objects.get(pk=team.pk).deleting_at is not None


def test_deletions_at_fal_that_wait_are_counted_and_go_on(as_owner, team, owner, stranger):
    assert "at fal wait" not in " ".join(as_owner.get(PAGE).text.split())
    for _ in range(2):
        row = make_queued(str(uuid4()), team=team, person=owner)
        hear(row, make_result())
        lifecycle.delete_payload(row.pk, person=owner, now=timezone.now(), at_fal=True)
    shown = " ".join(as_owner.get(PAGE).text.split())
    assert "2 deletions at fal wait for fal’s answer, and are carried out all the same" in shown
