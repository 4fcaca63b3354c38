"""The guard against the same input twice: what counts, for how long, and whose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app import lifecycle
from requests_app.lifecycle import AlreadyRunning
from requests_app.models import ErrorType, FalRequest, Status
from tests.builders import make_draft, make_person, make_request

NOW = timezone.now()


@pytest.fixture
def row(team: Any, owner: Any) -> FalRequest:
    return make_request(team=team, person=owner)


def submit(team: Any, person: Any, **more: Any) -> FalRequest:
    again_of = more.pop("again_of", None)
    return lifecycle.create(
        make_draft(**more), team=team, person=person, now=NOW, guard=True, again_of=again_of
    )


def end(row: FalRequest, *, minutes_ago: float, status: str, error_type: str = "") -> None:
    ended_at = NOW - timedelta(minutes=minutes_ago)
    columns = {"status": status, "ended_at": ended_at, "error_type": error_type}
    FalRequest.objects.filter(pk=row.pk).update(**columns)


@pytest.mark.parametrize("minutes_ago", [0, 9.9])
def test_an_open_or_completed_one_stands_in_the_way(team, owner, row, minutes_ago):
    with pytest.raises(AlreadyRunning, match="is running") as refused:
        submit(team, owner)
    assert refused.value.row == row
    end(row, minutes_ago=minutes_ago, status=Status.COMPLETED)
    with pytest.raises(AlreadyRunning, match="has just run"):
        submit(team, owner)
    assert FalRequest.objects.count() == 1


def test_one_that_is_open_for_long_stands_in_the_way_behind_a_newer_one(team, owner, row):
    FalRequest.objects.filter(pk=row.pk).update(created_at=NOW - timedelta(days=1))
    end(make_request(team=team, person=owner), minutes_ago=60, status=Status.COMPLETED)
    with pytest.raises(AlreadyRunning) as refused:
        submit(team, owner)
    assert refused.value.row == row


@pytest.mark.parametrize(
    ("minutes_ago", "status", "error_type", "is_free"),
    [
        (10.1, Status.COMPLETED, "", True),
        (1, Status.FAILED, "", True),
        (1, Status.CANCELLED, "", True),
        (1, Status.FAILED, ErrorType.GIVEN_UP, False),  # it may have run
    ],
)
def test_what_has_ended_counts_while_it_was_of_use(
    team, owner, row, minutes_ago, status, error_type, is_free
):
    end(row, minutes_ago=minutes_ago, status=status, error_type=error_type)
    if is_free:
        assert submit(team, owner)
    else:
        with pytest.raises(AlreadyRunning):
            submit(team, owner)


@pytest.mark.parametrize(
    "other", [{"input": {"prompt": "y"}}, {"mode": "run"}, {"endpoint_id": "acme/other"}]
)
def test_another_call_is_free(team, owner, row, other):
    assert submit(team, owner, **other)


def test_another_team_is_free_and_another_person_of_the_team_is_not(team, owner, row, stranger):
    assert submit(stranger.memberships.get().team, stranger)
    with pytest.raises(AlreadyRunning):
        submit(team, make_person("mate", team=team))


def test_a_member_without_sight_is_asked_about_their_own_requests_alone(team, owner, row):
    mira = make_person("mira", team=team)
    team.memberships.filter(user=mira).update(sees_payloads=False)
    mine = submit(team, mira)  # not told that the owner has sent the same
    with pytest.raises(AlreadyRunning) as refused:
        submit(team, mira)
    assert refused.value.row == mine
    team.memberships.filter(user=mira).update(sees_payloads=True)
    end(mine, minutes_ago=60, status=Status.COMPLETED)
    with pytest.raises(AlreadyRunning) as refused:
        submit(team, mira)
    assert refused.value.row == row


def test_options_make_no_other_call(team, owner, row):
    with pytest.raises(AlreadyRunning):
        submit(team, owner, priority="low")


def test_a_team_that_turned_it_off_is_never_asked(team, owner, row):
    team.duplicate_minutes = None
    team.save()
    assert submit(team, owner)


def test_an_explicit_repeat_is_free_once(team, owner, row):
    repeat = submit(team, owner, again_of=row)
    with pytest.raises(AlreadyRunning) as refused:
        submit(team, owner, again_of=row)
    assert refused.value.row == repeat


def test_several_runs_are_free(team, owner, row):
    rows = lifecycle.create_several_once(
        [make_draft(), make_draft()],
        team=team, person=owner, now=NOW, key="k", body_digest="d", guard=True,
    )  # fmt: skip
    assert len(rows) == 2


def test_a_removed_input_leaves_no_digest(team, owner, row):
    end(row, minutes_ago=1, status=Status.COMPLETED)
    assert len(row.input_digest) == 64
    lifecycle.remove_payload(row.pk, days=1, now=NOW)
    row.refresh_from_db()
    assert row.input_digest == ""


def test_both_look_ups_use_an_index(team, owner, row):
    end(row, minutes_ago=60, status=Status.COMPLETED)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        submit(team, owner)
    looks = [query["sql"] for query in seen if "input_digest" in query["sql"].partition("WHERE")[2]]
    assert len(looks) == 2
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # few rows would be read whole
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        for sql in looks:
            how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            cursor.execute(f"{how} {sql.replace('%', '%%')}")
            plan = str(cursor.fetchall())
            # Of one row PostgreSQL may as well read what ended in the last minutes.
            is_indexed = "same_inputs" in plan or "Index Scan Backward using ended_by_time" in plan
            assert is_indexed and "SCAN requests_app" not in plan, plan
