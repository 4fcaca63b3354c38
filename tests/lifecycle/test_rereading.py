"""Reading again from fal: asked for by a user, of what fal may still know; an end stays as it is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Mode, Observation
from tests.builders import fresh, hear, make_request, make_result

NOW = timezone.now


@pytest.fixture
def ended(queued):
    hear(queued, make_result())
    FalRequest.objects.filter(pk=queued.pk).update(due_at=None, tries=7)
    return fresh(queued)


def test_an_ended_request_is_due_at_once_and_says_who_asked(ended, owner):
    assert lifecycle.reread(ended.pk, person=owner, now=NOW())
    row = fresh(ended)
    assert row.due_at is not None and row.due_at <= NOW()
    assert (row.status, row.tries, row.output) == (ended.status, 0, ended.output)
    assert row.observations.get(kind="reread").note == "olga asked to read it again from fal."


@pytest.mark.parametrize(
    "columns",
    [
        {"fal_request_id": ""},
        {"mode": Mode.STREAM},
        {"mode": Mode.REALTIME},
        {"payload_removed_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_fal_cannot_tell_of_is_left_alone(ended, owner, columns):
    FalRequest.objects.filter(pk=ended.pk).update(**columns)
    assert not lifecycle.can_reread(fresh(ended))
    assert not lifecycle.reread(ended.pk, person=owner, now=NOW())
    assert fresh(ended).due_at is None


def test_what_has_not_ended_is_followed_anyway(team, owner, queued):
    assert not lifecycle.reread(queued.pk, person=owner, now=NOW())
    assert not lifecycle.reread(make_request(team=team, person=owner).pk, person=owner, now=NOW())


def test_that_fal_no_longer_knows_it_is_told_once_for_each_time_it_was_asked(ended, owner):
    assert not lifecycle.note_reread_gone(ended.pk, now=NOW())
    for _ in range(2):
        lifecycle.reread(ended.pk, person=owner, now=NOW())
        assert lifecycle.note_reread_gone(ended.pk, now=NOW())
        assert not lifecycle.note_reread_gone(ended.pk, now=NOW())
    assert Observation.objects.filter(request=ended, kind="reread_gone").count() == 2
    assert fresh(ended).status == ended.status
