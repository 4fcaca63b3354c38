"""Observations: how we know, in the order in which we learnt it."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import Observation, Source, Team
from tests.builders import make_request


def test_each_observation_has_a_higher_id_and_keeps_both_times(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    now = timezone.now()
    heard = Observation.append([
        Observation(
            request=row, kind="status", source=Source.POLL, status="in_queue", asked_at=now,
            heard_at=now, note=f"{n}", data={"queue_position": n},
        )
        for n in range(3)
    ])  # fmt: skip
    assert row.seq < heard[0].pk < heard[1].pk < heard[2].pk
    kept = Observation.objects.get(pk=heard[2].pk)
    assert (kept.asked_at, kept.heard_at, kept.data) == (now, now, {"queue_position": 2})


def test_no_facts_are_an_empty_object(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    assert row.observations.get().data == {}


def test_every_source_fits_its_column() -> None:
    field = Observation._meta.get_field("source")
    assert max(map(len, Source.values)) <= (field.max_length or 0)
