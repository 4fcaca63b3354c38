"""What a person asks for is told where others will look."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from tests.builders import make_draft, make_request


def repeated(row: FalRequest, now: datetime) -> FalRequest:
    return lifecycle.create(make_draft(), team=row.team, person=row.person, now=now, again_of=row)


def test_an_uncertain_request_tells_that_it_was_submitted_again(team: Team, owner: User) -> None:
    row, now = make_request(team=team, person=owner), timezone.now()
    lifecycle.start_attempt(row.pk, now=now)
    lifecycle.mark_uncertain(row.pk, "reset", now=now)
    repeat = repeated(row, now)
    row.refresh_from_db()
    told = row.observations.latest("id")
    assert (told.kind, told.pk, row.status) == ("repeated", row.seq, Status.UNCERTAIN)
    assert str(repeat.public_id) in told.note
    assert repeat.again_of == row


def test_any_other_request_is_left_as_it_is(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    before = row.observations.count()
    repeated(row, timezone.now())
    assert row.observations.count() == before
