"""Keys and ids as one event loop knows them, with a database that comes and goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app.gateway.callers import FRESH_S, STALE_S, Callers, KeysUnknown
from requests_app.gateway.owners import UNKNOWN_S, Owners
from requests_app.models import ApiToken, Team
from tests.builders import make_queued


class CountingDatabase:
    """Counts calls, and fails them while it is away."""

    def __init__(self) -> None:
        self.is_away, self.calls = False, 0

    async def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        self.calls += 1
        if self.is_away:
            raise OperationalError("away")
        return await sync_to_async(call)(*args)


class Clock:
    """Seconds, as the test wants them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.django_db(transaction=True)
async def test_a_key_is_looked_up_seldom_and_a_revoked_one_soon_ends(
    team: Team, owner: User
) -> None:
    database, clock = CountingDatabase(), Clock()
    callers = Callers(database, clock)
    key = f"Key app:{await sync_to_async(ApiToken.issue)(owner, team)}"
    for _ in range(100):
        caller = await callers.find(key)
        assert caller is not None
        assert (caller.team_id, caller.user_id, caller.refusal) == (team.pk, owner.pk, "")
    assert database.calls == 1
    await ApiToken.objects.aupdate(revoked_at=timezone.now())
    clock.now += FRESH_S
    assert await callers.find(key) is None


@pytest.mark.django_db(transaction=True)
async def test_a_known_key_works_on_while_the_database_is_away_and_an_unknown_one_does_not(
    team: Team, owner: User
) -> None:
    database, clock = CountingDatabase(), Clock()
    callers = Callers(database, clock)
    keys = [f"Key app:{await sync_to_async(ApiToken.issue)(owner, team)}" for _ in range(2)]
    assert await callers.find(keys[0])
    database.is_away = True
    clock.now += STALE_S - 1
    assert await callers.find(keys[0])
    with pytest.raises(KeysUnknown):
        await callers.find(keys[1])
    clock.now += 1
    with pytest.raises(KeysUnknown):
        await callers.find(keys[0])


@pytest.mark.django_db(transaction=True)
async def test_an_id_is_looked_up_once_and_a_foreign_one_is_out_of_reach(
    team: Team, owner: User, stranger: User
) -> None:
    database, clock = CountingDatabase(), Clock()
    owners = Owners(database, clock)
    other = await Team.objects.aget(name="Other")
    await sync_to_async(make_queued)("mine", team=team, person=owner)
    await sync_to_async(make_queued)("theirs", team=other, person=stranger)
    owners.learn("new", team.pk)
    for _ in range(10):
        reach = [
            await owners.may_reach(one, team.pk) for one in ("mine", "theirs", "new", "nowhere")
        ]
        assert reach == [True, False, True, True]
    assert database.calls == 3
    clock.now += UNKNOWN_S  # a row may have come meanwhile
    assert await owners.may_reach("nowhere", team.pk)
    assert database.calls == 4
