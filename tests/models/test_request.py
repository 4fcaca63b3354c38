"""Requests as rows: which are due, who holds them, and what the database itself forbids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.models import ProtectedError
from django.utils import timezone

from requests_app.models import AT_FAL, ENDED, LIVE, FalRequest, IdempotencyKey, Status, Team
from tests.builders import hear, make_queued, make_request, make_result

NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    return make_queued(team=team, person=owner)


def put(row: FalRequest, **columns: Any) -> FalRequest:
    FalRequest.objects.filter(pk=row.pk).update(**columns)
    return FalRequest.objects.get(pk=row.pk)


def is_due(row: FalRequest) -> bool:
    return FalRequest.objects.due(NOW).filter(pk=row.pk).exists()


def test_every_status_is_either_live_or_ended() -> None:
    assert set(Status) == LIVE | ENDED
    assert not LIVE & ENDED
    assert AT_FAL < LIVE


@pytest.mark.parametrize(
    ("columns", "due"),
    [
        ({"due_at": NOW}, True),
        ({"due_at": NOW - MINUTE}, True),
        ({"due_at": NOW + MINUTE}, False),
        ({"due_at": None}, False),
        ({"due_at": NOW, "leased_until": NOW + MINUTE}, False),
        ({"due_at": NOW, "leased_until": NOW - MINUTE}, True),
    ],
)
def test_a_row_is_due_when_its_time_has_come_and_nobody_holds_it(
    columns: dict[str, Any], due: bool, row: FalRequest
) -> None:
    assert is_due(put(row, **columns)) is due


def test_a_lease_is_given_once_and_the_row_is_due_again_when_it_runs_out(row: FalRequest) -> None:
    put(row, due_at=NOW)
    token = FalRequest.objects.take_lease(row.pk, NOW, MINUTE)
    held = FalRequest.objects.get(pk=row.pk)
    assert (held.lease, held.leased_until, held.due_at) == (token, NOW + MINUTE, NOW + MINUTE)
    assert FalRequest.objects.take_lease(row.pk, NOW, MINUTE) is None
    later = NOW + MINUTE + timedelta(seconds=1)
    assert FalRequest.objects.due(later).filter(pk=row.pk).exists()


def test_a_row_that_is_not_due_cannot_be_leased(row: FalRequest) -> None:
    put(row, due_at=NOW + MINUTE)
    assert FalRequest.objects.take_lease(row.pk, NOW, MINUTE) is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_a_row_one_gets_it(team: Team, owner: User) -> None:
    row = put(make_queued(team=team, person=owner), due_at=NOW)

    def take(_: int) -> Any:
        try:
            return FalRequest.objects.take_lease(row.pk, NOW, MINUTE)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        tokens = [token for token in pool.map(take, range(8)) if token]
    assert tokens == [FalRequest.objects.get(pk=row.pk).lease]


def test_a_list_does_not_load_what_can_be_megabytes(
    row: FalRequest, django_assert_num_queries: Any
) -> None:
    [shown] = FalRequest.objects.without_payload()
    assert {"input_text", "output", "search_text"} <= shown.get_deferred_fields()
    with django_assert_num_queries(0):
        assert (shown.status, shown.is_ended) == (Status.IN_QUEUE, False)
        assert shown.summary


def test_one_request_at_fal_belongs_to_one_row(row: FalRequest, team: Team, owner: User) -> None:
    other = make_request(team=team, person=owner)
    with pytest.raises(IntegrityError):
        put(other, fal_request_id=row.fal_request_id)


def test_many_rows_may_have_no_id_yet(team: Team, owner: User) -> None:
    rows = [make_request(team=team, person=owner) for _ in range(3)]
    assert {row.fal_request_id for row in rows} == {""}


def test_neither_a_team_nor_a_person_takes_its_requests_along(
    row: FalRequest, team: Team, owner: User
) -> None:
    for thing in (team, owner):
        with pytest.raises(ProtectedError):
            thing.delete()


def test_a_key_means_one_request_of_one_team(row: FalRequest, team: Team) -> None:
    other = Team.objects.create(name="Second")
    for each in (team, other):
        IdempotencyKey.objects.create(team=each, key="k", body_digest="d", request=row)
    with pytest.raises(IntegrityError):
        IdempotencyKey.objects.create(team=team, key="k", body_digest="d", request=row)


def test_what_a_row_says_of_itself(row: FalRequest) -> None:
    assert (row.is_ended, row.duration, row.is_cancelling) == (False, None, False)
    assert put(row, cancel_asked_at=NOW).is_cancelling
    hear(row, make_result(code=422, error="bad input"))
    ended = FalRequest.objects.get(pk=row.pk)
    assert (ended.is_ended, ended.is_cancelling, ended.was_user_error) == (True, False, True)
    assert ended.ended_at and ended.duration == ended.ended_at - ended.created_at


@pytest.mark.parametrize(
    ("code", "mine"),
    [(None, False), (399, False), (400, True), (404, True), (422, True), (500, False)]
    + [(code, False) for code in (401, 403, 408, 429, 499)],
)
def test_only_a_4xx_that_is_about_the_input_is_the_requests_own_fault(
    code: int | None, mine: bool
) -> None:
    assert FalRequest(status=Status.FAILED, error_code=code).was_user_error is mine
    assert not FalRequest(status=Status.CANCELLED, error_code=code).was_user_error
