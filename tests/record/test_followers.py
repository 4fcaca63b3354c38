"""Followed rows are marked for the quick pace: all of a process by one statement, as long as they are followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from requests_app.record import followers as module
from requests_app.record.followers import RENEW_S, Followers
from tests.builders import make_queued

pytestmark = pytest.mark.django_db


class Clock:
    """Instead of the module `time`."""

    now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def rows(team: Team, owner: User) -> list[FalRequest]:
    made = [make_queued(f"r{n}", team=team, person=owner) for n in range(5)]
    FalRequest.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    return made


def marked() -> set[int]:
    now = timezone.now()
    soon = now + timedelta(seconds=2)
    found = FalRequest.objects.filter(watched_until__gt=now, due_at__lt=soon)
    return set(found.values_list("pk", flat=True))


def statements(followers: Followers) -> int:
    from django.db import connection

    with CaptureQueriesContext(connection) as queries:
        followers.renew()
    return len(queries)


def test_many_rows_are_marked_and_due_soon_by_one_statement(
    rows: list[FalRequest], clock: Clock
) -> None:
    followers = Followers()
    pks = [row.pk for row in rows]
    followers.add(pks[:3])
    followers.add(pks[2:])
    assert (followers.is_due(), statements(followers)) == (True, 1)
    assert marked() == set(pks)


def test_a_mark_is_renewed_while_it_is_followed_and_no_oftener_than_needed(
    rows: list[FalRequest], clock: Clock
) -> None:
    followers = Followers()
    followers.add([rows[0].pk])
    followers.renew()
    assert (followers.is_due(), statements(followers)) == (False, 0)
    clock.now_s += RENEW_S * 0.6
    followers.add([rows[1].pk])
    assert followers.renew() == 2  # the first one's turn comes soon: both together from now on
    clock.now_s += RENEW_S
    assert (followers.is_due(), statements(followers)) == (True, 1)


def test_a_row_is_left_when_its_last_follower_has_gone(
    rows: list[FalRequest], clock: Clock
) -> None:
    followers, pk = Followers(), rows[0].pk
    with followers.following([pk]):
        with followers.following([pk]):
            assert followers.renew() == 1
        clock.now_s += RENEW_S
        assert followers.renew() == 1
    clock.now_s += RENEW_S
    assert (followers.renew(), followers.is_due()) == (0, False)
    followers.add([pk])
    assert followers.is_due()


@pytest.mark.parametrize(
    "columns",
    [
        {"status": Status.COMPLETED},
        {"tries": 2},  # fal wants us to wait
        {"status": Status.UNCERTAIN},
        {"mode": "run"},
    ],
)
def test_rows_that_must_not_be_asked_about_sooner_keep_their_time(
    rows: list[FalRequest], columns: dict[str, Any]
) -> None:
    row = rows[0]
    FalRequest.objects.filter(pk=row.pk).update(**columns)
    before = FalRequest.objects.get(pk=row.pk).due_at
    now = timezone.now()
    lifecycle.poll_faster_until([row.pk], until=now + timedelta(seconds=15), now=now)
    row.refresh_from_db()
    assert row.due_at == before
    assert (row.watched_until is None) is (columns.get("status") == Status.COMPLETED)


def test_a_database_that_is_away_costs_one_turn_and_not_the_follower(
    rows: list[FalRequest], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise DatabaseError("database is locked")

    followers = Followers()
    followers.add([rows[0].pk])
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "poll_faster_until", away)
        followers.renew()
    clock.now_s += RENEW_S
    followers.renew()
    assert marked() == {rows[0].pk}
