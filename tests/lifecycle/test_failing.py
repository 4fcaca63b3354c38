"""A row whose steps fail until the limit ends by what is known of it, and an uncertain one stays so."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.lifecycle import MOST_FAILURES
from requests_app.models import ErrorType, FalRequest, Status, Team
from tests.builders import make_queued

pytestmark = pytest.mark.django_db

WHY = "This step cannot be taken here (KeyError)"


def fail(row: FalRequest, *, tries: int, **columns: Any) -> FalRequest:
    """One more failed step after so many."""
    now = timezone.now()
    columns |= {"tries": tries, "due_at": now, "lease": None, "leased_until": None}
    FalRequest.objects.filter(pk=row.pk).update(**columns)
    lifecycle.note_step_failed(row.pk, WHY, now=now)
    return FalRequest.objects.get(pk=row.pk)


def uncertain(row: FalRequest) -> FalRequest:
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the line went dead", now=timezone.now())
    return row


def test_an_uncertain_row_at_the_limit_stays_uncertain_and_is_searched_for_no_more(
    row: FalRequest,
) -> None:
    before = fail(uncertain(row), tries=MOST_FAILURES - 2)
    assert (before.status, before.due_at is None) == (Status.UNCERTAIN, False)
    after = fail(row, tries=MOST_FAILURES - 1)
    assert (after.status, after.due_at, after.error_type) == (Status.UNCERTAIN, None, "")
    told = after.observations.latest("id")
    assert told.note == f"{WHY}. It is no longer looked for."
    assert after.seq == told.pk
    lifecycle.note_step_failed(row.pk, WHY, now=timezone.now())  # of a step that began before
    assert after.observations.latest("id") == told


def test_an_uncertain_row_at_the_limit_can_still_be_given_up_or_hear_from_fal(
    row: FalRequest, owner: User
) -> None:
    fail(uncertain(row), tries=MOST_FAILURES - 1)
    assert lifecycle.give_up(row.pk, person=owner, now=timezone.now())


def test_a_row_that_was_being_sent_at_the_limit_is_uncertain(row: FalRequest) -> None:
    lifecycle.start_attempt(row.pk, now=timezone.now())
    after = fail(row, tries=MOST_FAILURES - 1)
    assert (after.status, after.error_type) == (Status.UNCERTAIN, "")


def test_a_row_that_was_not_sent_at_the_limit_fails_as_not_sendable(row: FalRequest) -> None:
    after = fail(row, tries=MOST_FAILURES - 1)
    assert (after.status, after.error_type) == (Status.FAILED, ErrorType.NOT_SENDABLE)
    assert after.error.endswith("Nothing was sent.")


@pytest.mark.parametrize("status", [Status.IN_QUEUE, Status.IN_PROGRESS])
def test_a_row_at_fal_at_the_limit_fails_as_not_processed(
    team: Team, owner: User, status: str
) -> None:
    row = make_queued(team=team, person=owner)
    after = fail(row, tries=MOST_FAILURES - 1, status=status)
    assert (after.status, after.error_type) == (Status.FAILED, ErrorType.NOT_PROCESSED)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_an_ended_row_at_the_limit_stays_as_it_ended(row: FalRequest, status: str) -> None:
    after = fail(row, tries=MOST_FAILURES - 1, status=status)
    assert (after.status, after.due_at, after.error_type) == (status, None, "")
