"""Rows that stand for keys which programs keep to themselves."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.keys import keeping, programs
from requests_app.models import FalKey, Team


def test_the_rows_that_stand_for_such_keys_are_bounded(
    team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "MOST", 2)
    made = [
        programs.row_of_program_key(
            team.pk, programs.ProgramKey(f"{number}" * 64, ""), owner.pk, now=timezone.now()
        )
        for number in range(5)
    ]
    assert len(set(made)) == 3
    assert made[2] == made[3] == made[4]
    given = keeping.add(
        team, name="new", pattern="", secret="new:key", by=owner, now=timezone.now()
    )
    assert given.pk not in made
    assert FalKey.objects.filter(team=team, removed_at=None).get() == given
