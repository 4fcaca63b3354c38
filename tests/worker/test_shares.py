"""A team with many requests is polled less often, not the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import FalRequest, Team
from requests_app.worker import shares
from tests.builders import make_queued

pytestmark = pytest.mark.django_db


def test_the_polls_are_shared_between_teams_whatever_each_has_open(
    team: Team, owner: User, settings: Any
) -> None:
    settings.POLLS_PER_S = 10
    other = Team.objects.create(name="Other")
    for number in range(30):
        make_queued(f"many-{number}", team=team, person=owner)
    make_queued("one", team=other, person=owner)
    FalRequest.objects.update(due_at=timezone.now())
    pauses = shares.of_teams([team.pk, other.pk])
    assert pauses == {team.pk: 30 / 9, other.pk: 1}


def test_a_team_whose_first_request_is_open_since_the_last_count_has_a_share_at_once(
    team: Team, owner: User, settings: Any
) -> None:
    settings.POLLS_PER_S = 7
    make_queued("one", team=team, person=owner)
    shares.of_teams([team.pk])
    other = Team.objects.create(name="Other")
    assert shares.of_teams([other.pk])[other.pk] == 1
