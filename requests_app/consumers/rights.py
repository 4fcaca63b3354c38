"""A consumer for logged-in users: closed soon after a log-out or the end of a membership."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.utils import timezone

from requests_app.accounts.sessions import logged_in
from requests_app.consumers.base import Consumer
from requests_app.models import Membership
from requests_app.models.session import USED_EVERY, Session, SessionStore
from requests_app.models.team import digest

logger = logging.getLogger(__name__)

RECHECK_S = 5.0  # how long a removed member may go on
AT_ONCE = 500  # sockets judged in one visit to the database

LOGGED_OUT, NO_TEAM, NO_FACTOR, TOO_MANY = 4401, 4403, 4423, 4429


class MemberConsumer(Consumer):
    """Accepts every connection, so that a refusal can give its reason as a close code."""

    is_admitted = False

    async def connect(self) -> None:
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(code=LOGGED_OUT)
        elif not _recheck().admit(self):
            await self.close(code=TOO_MANY)
        else:
            self.is_admitted = True

    async def leave(self) -> None:
        """End the rechecks."""
        _recheck().remove(self)
        await super().leave()

    def may_stay(self, mine: Sequence[Membership]) -> bool:
        """Whether the user, with these memberships, has the rights this socket was opened with."""
        raise NotImplementedError

    def session_now(self) -> Any:
        """Return the log-in session as it is now, not as it was when the socket was opened."""
        session: Any = self.scope["session"]
        return type(session)(session.session_key)


class _Recheck:
    """All sockets of one event loop, rechecked together: their number hardly matters."""

    def __init__(self) -> None:
        self._consumers: set[MemberConsumer] = set()
        self._of_user: Counter[int] = Counter()  # ten thousand come back at once after a restart
        self._task: asyncio.Task[None] | None = None

    def admit(self, consumer: MemberConsumer) -> bool:
        """Take the socket in, unless its user has as many as one may have."""
        if self._of_user[consumer.scope["user"].pk] >= settings.SOCKETS_PER_USER:
            return False
        self._consumers.add(consumer)
        self._of_user[consumer.scope["user"].pk] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return True

    def remove(self, consumer: MemberConsumer) -> None:
        self._forget(consumer)
        if not self._consumers and self._task:
            self._task.cancel()
            self._task = None

    def _forget(self, consumer: MemberConsumer) -> bool:
        """Whether it was there."""
        if consumer not in self._consumers:
            return False
        self._consumers.remove(consumer)
        user = consumer.scope["user"].pk
        self._of_user[user] -= 1
        if not self._of_user[user]:
            del self._of_user[user]
        return True

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            everyone = list(self._consumers)
            for first in range(0, len(everyone), AT_ONCE):
                await self._judge(everyone[first : first + AT_ONCE])

    async def _judge(self, consumers: list[MemberConsumer]) -> None:
        try:
            codes = await database_sync_to_async(objections)(consumers)
        except Exception:
            logger.exception("The rights of open sockets could not be checked; trying again.")
            return
        for consumer, code in zip(consumers, codes, strict=True):
            if code is not None and self._forget(consumer):
                consumer.begin(consumer.close(code=code))


_rechecks: WeakKeyDictionary[asyncio.AbstractEventLoop, _Recheck] = WeakKeyDictionary()


def _recheck() -> _Recheck:
    return _rechecks.setdefault(asyncio.get_running_loop(), _Recheck())


def objections(consumers: Sequence[MemberConsumer]) -> list[int | None]:
    """Return for each socket the code to close it with, in three queries for all."""
    # Read anew: a session that was ended or has expired is missing; a changed password does not
    # match.
    sessions = _sessions({one.scope["session"].session_key for one in consumers})
    users = _users(sessions.values())
    memberships = _memberships(users)
    logged_in = {
        key: pk for key, data in sessions.items() if (pk := _user_of(data, users)) is not None
    }

    def objection(consumer: MemberConsumer) -> int | None:
        pk = logged_in.get(consumer.scope["session"].session_key)
        if pk is None:
            return LOGGED_OUT
        theirs = memberships.get(pk, [])
        if consumer.may_stay([one for one in theirs if not one.is_held_back]):
            return None
        return NO_FACTOR if consumer.may_stay(theirs) else NO_TEAM

    return [objection(one) for one in consumers]


def _sessions(keys: set[str]) -> dict[str, dict[str, Any]]:
    """Return the contents of the sessions that are open, by key; an open socket is a use of its session."""
    now = timezone.now()
    found = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    rows = list(found.values_list("session_key", "session_data", "used_at"))
    if old := [key for key, _, used_at in rows if used_at and used_at < now - USED_EVERY]:
        Session.objects.filter(session_key__in=old).update(used_at=now)
    stored = {key: data for key, data, _ in rows}
    decode = SessionStore().decode
    return {key: decode(stored[hashed]) for key in keys if (hashed := digest(key)) in stored}


def _users(sessions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the active users of these sessions by their key as sessions name it."""
    keys = {data[SESSION_KEY] for data in sessions if SESSION_KEY in data}
    active = get_user_model()._default_manager.filter(pk__in=keys, is_active=True)
    return {str(user.pk): user for user in active}


def _user_of(data: Mapping[str, Any], users: Mapping[str, Any]) -> int | None:
    """Return the key of the user who is logged in by this session."""
    user = users.get(data.get(SESSION_KEY, ""))
    return user.pk if user and logged_in(data, user) else None


def _memberships(users: Mapping[str, Any]) -> dict[int, list[Membership]]:
    found: dict[int, list[Membership]] = {}
    for one in Membership.objects.judged().filter(user_id__in=[user.pk for user in users.values()]):
        found.setdefault(one.user_id, []).append(one)
    return found
