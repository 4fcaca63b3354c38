"""Who took a row may write what became of it; and how often fal may ask it to wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent, Refused
from requests_app.lifecycle import Attempt
from requests_app.lifecycle.sending import MOST_REFUSALS
from requests_app.models import FalRequest, Status, Team
from tests.builders import fresh, make_request

pytestmark = pytest.mark.django_db


def claimed(row: FalRequest, now: datetime) -> Attempt:
    attempt = lifecycle.start_attempt(row.pk, now=now)
    assert attempt is not None
    return attempt


@pytest.mark.parametrize("mode", ["queue", "run"])
def test_news_of_an_earlier_attempt_do_not_undo_a_later_one(
    team: Team, owner: User, mode: str
) -> None:
    """A stopped process that goes on, or a write whose COMMIT was not answered and that is repeated."""
    row, now = make_request(team=team, person=owner, mode=mode), timezone.now()
    old = claimed(row, now)
    lifecycle.note_not_sent(row.pk, NotSent("no route"), lease=old.lease, now=now)
    later = now + timedelta(minutes=1)
    new = claimed(row, later)
    if mode == "run":  # which counts as under way before its bytes leave
        lifecycle.note_opened(row.pk, None, now=later)
    before = FalRequest.objects.filter(pk=row.pk).values().get()
    lifecycle.note_not_sent(row.pk, NotSent("no route"), lease=old.lease, now=later)
    for status_code in (429, 403):
        error = Refused("no", status_code=status_code)
        lifecycle.note_refused(row.pk, error, lease=old.lease, now=later)
    assert FalRequest.objects.filter(pk=row.pk).values().get() == before
    assert fresh(row).lease == new.lease


def test_a_refusal_that_was_heard_late_settles_what_was_uncertain(team: Team, owner: User) -> None:
    row = make_request(team=team, person=owner)
    now = timezone.now()
    attempt = claimed(row, now)
    lifecycle.expire_lease(row.pk, now=now + timedelta(minutes=5))
    lifecycle.note_refused(row.pk, Refused("no", status_code=403), lease=attempt.lease, now=now)
    assert fresh(row).status == Status.FAILED


def test_a_refusal_of_an_earlier_attempt_settles_nothing_uncertain(team: Team, owner: User) -> None:
    """Its write is repeated, for its COMMIT was not answered; the later attempt may be under way at fal."""
    row, now = make_request(team=team, person=owner), timezone.now()
    old = claimed(row, now)
    lifecycle.note_not_sent(row.pk, NotSent("no route"), lease=old.lease, now=now)
    new = claimed(row, now + timedelta(minutes=1))
    lifecycle.mark_uncertain(row.pk, "reset", now=now + timedelta(minutes=1))
    error = Refused("no", status_code=403)
    lifecycle.note_refused(row.pk, error, lease=old.lease, now=now + timedelta(minutes=2))
    assert fresh(row).status == Status.UNCERTAIN
    lifecycle.note_refused(row.pk, error, lease=new.lease, now=now + timedelta(minutes=2))
    assert fresh(row).status == Status.FAILED


def refused_or_not_sent(row: FalRequest, *errors: NotSent | Refused) -> FalRequest:
    """As many attempts, one after the other."""
    for error in errors:
        FalRequest.objects.filter(pk=row.pk).update(due_at=timezone.now())
        lease = claimed(row, timezone.now()).lease
        if isinstance(error, NotSent):
            lifecycle.note_not_sent(row.pk, error, lease=lease, now=timezone.now())
        else:
            lifecycle.note_refused(row.pk, error, lease=lease, now=timezone.now())
    return FalRequest.objects.get(pk=row.pk)


BUSY = Refused("busy", status_code=429)


def test_as_many_refusals_in_a_row_end_it(row: FalRequest) -> None:
    row = refused_or_not_sent(row, *[BUSY] * MOST_REFUSALS)
    assert row.status == Status.PENDING
    row = refused_or_not_sent(row, BUSY)
    assert (row.status, row.error_code) == (Status.FAILED, 429)


def test_attempts_that_never_left_are_no_refusals(row: FalRequest) -> None:
    """One counter for both had one 429 after a long outage end the row."""
    away = NotSent("refused")
    row = refused_or_not_sent(row, *[away] * (MOST_REFUSALS + 1), BUSY, away, *[BUSY] * 5)
    assert row.status == Status.PENDING


@pytest.mark.parametrize(
    ("options", "word", "status", "kind"),
    [
        ({"max_queue_length": 0}, None, Status.FAILED, "queue_too_long"),
        ({"max_queue_length": 9}, "queue_too_long", Status.FAILED, "queue_too_long"),
        ({"max_queue_length": 9}, "concurrent_requests_limit", Status.PENDING, ""),
        ({"priority": "low"}, None, Status.PENDING, ""),
    ],
)
def test_a_queue_longer_than_the_request_allows_is_an_end_and_no_reason_to_wait(
    team: Team, owner: User, options: dict[str, object], word: str | None, status: str, kind: str
) -> None:
    row, now = make_request(team=team, person=owner, **options), timezone.now()
    busy = Refused("busy", status_code=429, error_type=word)
    lifecycle.note_refused(row.pk, busy, lease=claimed(row, now).lease, now=now)
    row = fresh(row)
    assert (row.status, row.error_type) == (status, kind)
