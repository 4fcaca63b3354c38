"""The log-in sessions of a user: which are open, and their end.

A session that is ended is gone from the database: the next request with its cookie is that of a stranger,
and its sockets are closed by their recheck (`consumers/rights.py`) within five seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from requests_app import audit
from requests_app.models import AuditAct, Membership, Session
from requests_app.models.session import SessionStore
from requests_app.models.team import digest

ID_LENGTH = 16  # hex digits of the stored hash, unique among the sessions of one user
EVERY_ONE = "all"  # instead of an id


@dataclass(frozen=True)
class OpenSession:
    """What is shown of a session."""

    id: str
    agent: str
    address: str
    began_at: datetime | None
    used_at: datetime | None
    is_this: bool


def logged_in(data: Mapping[str, Any], user: User | None) -> bool:
    """Whether these contents of a session still log the user in: false after a password change."""
    if user is None or not user.is_active or data.get(SESSION_KEY) != str(user.pk):
        return False
    if data.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    return constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def open_sessions(user: User, this_key: str | None = None) -> list[OpenSession]:
    """Return the user's sessions, last used first; `this_key`: of the one that asks."""
    mine = digest(this_key) if this_key else None
    return [_shown(row, is_this=row.session_key == mine) for row in _rows_of(user)]


def end(
    user: User, session_id: str, *, by: AbstractBaseUser, team_ids: Iterable[int] | None = None
) -> int:
    """End one session of the user, or all; return how many. The trail of these teams tells it, else
    that of the user's own.
    """
    with transaction.atomic():
        rows = [row for row in _rows_of(user) if session_id in (EVERY_ONE, _id_of(row))]
        Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
        if rows:
            _audit(user, rows, is_all=session_id == EVERY_ONE, by=by, team_ids=team_ids)
    return len(rows)


def _rows_of(user: User) -> list[Session]:
    _claim_unclaimed()
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-used_at")
    return [row for row in rows if logged_in(_contents(row), user)]


def _claim_unclaimed() -> None:
    """Fill in whose the sessions are that an earlier version wrote; each is looked at once."""
    lasts = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    for row in Session.objects.filter(began_at=None):
        claimed = _contents(row).get(SESSION_KEY)
        Session.objects.filter(session_key=row.session_key, began_at=None).update(
            user_id=int(claimed) if claimed else None,
            began_at=row.expire_date - lasts,
            used_at=row.expire_date - lasts,
        )


def _contents(row: Session) -> dict[str, Any]:
    return SessionStore().decode(row.session_data)


def _id_of(row: Session) -> str:
    return str(row.session_key)[:ID_LENGTH]


def _shown(row: Session, *, is_this: bool) -> OpenSession:
    return OpenSession(_id_of(row), row.agent, row.address, row.began_at, row.used_at, is_this)


def _audit(
    user: User, rows: list[Session], *, is_all: bool, by: AbstractBaseUser,
    team_ids: Iterable[int] | None,
) -> None:  # fmt: skip
    if team_ids is None:
        team_ids = Membership.objects.filter(user=user).values_list("team_id", flat=True)
    told: dict[str, Any] = {"sessions": len(rows), "everywhere": is_all}
    if not is_all:
        told |= {"address": rows[0].address, "began_at": rows[0].began_at}
    on = audit.Noted("account", "", user.get_username(), told)
    for team_id in list(team_ids) or [audit.NO_TEAM]:
        audit.note(AuditAct.SESSION_ENDED, on, team_id=team_id, by=by)
