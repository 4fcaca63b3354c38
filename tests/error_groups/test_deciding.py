"""Resolve, ignore, reopen, and the notes why."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app.error_groups import deciding
from requests_app.models import GroupState
from tests.error_groups.conftest import fail, only_group

NOW = timezone.now


@pytest.fixture
def group(team, owner):
    """One open group."""
    fail(team, owner)
    return only_group()


def test_each_decision_is_stored_with_its_user_and_note(group, owner, teammate):
    assert deciding.resolve(group, person=owner, now=NOW(), note="  the key was wrong  ")
    assert not deciding.resolve(group, person=teammate, now=NOW())
    assert deciding.ignore(group, person=teammate, now=NOW())
    assert deciding.reopen(group, person=owner, now=NOW())
    assert not deciding.reopen(group, person=owner, now=NOW())
    told = list(group.decisions.order_by("pk").values_list("kind", "person__username", "note"))
    assert told == [
        ("resolved", "olga", "the key was wrong"),
        ("ignored", "tom", ""),
        ("reopened", "olga", ""),
    ]
    group.refresh_from_db()
    assert (group.state, group.resolved_by) == (GroupState.OPEN, owner)


def test_a_note_is_kept_and_an_empty_one_is_none(group, owner):
    assert deciding.add_note(group, person=owner, now=NOW(), note="asked fal\0")
    assert not deciding.add_note(group, person=owner, now=NOW(), note="  ")
    assert group.decisions.get().note == "asked fal\ufffd"


def test_the_newest_decisions_are_kept(group, owner, monkeypatch):
    monkeypatch.setattr(deciding, "MOST_DECISIONS", 3)
    for number in range(6):
        deciding.add_note(group, person=owner, now=NOW(), note=str(number))
    assert sorted(group.decisions.values_list("note", flat=True)) == ["3", "4", "5"]
