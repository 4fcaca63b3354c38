"""Log-in sessions: table and engine. Keys are stored hashed, so a reader of the database cannot
take one over.

A row also tells whose session it is, from where and with what it was used last, for the page that lists
them. Rows that a process of an earlier version wrote lack that until they are used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone

from requests_app.models.compiled import CompiledQuery
from requests_app.models.team import digest

USED_EVERY = timedelta(minutes=1)  # precision of "last used"
AGENT_LENGTH = 200


class _Hashed(str):
    """A key that is already hashed."""

    __slots__ = ()


class HashedKeyField(models.CharField):  # type: ignore[type-arg]
    """Text that is stored and looked up by its SHA-256."""

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        """Mark values from the database as hashed."""
        return None if value is None else _Hashed(value)

    def get_prep_value(self, value: Any) -> Any:
        """Hash values for the database, unless they come from there."""
        text = super().get_prep_value(value)
        return text if text is None or isinstance(value, _Hashed) else digest(text)


class Session(AbstractBaseSession):
    """One browser's session."""

    session_key = HashedKeyField(max_length=64, primary_key=True)
    # No constraint in the database: an earlier version deletes users without their sessions.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, db_constraint=False,
        related_name="+",
    )  # fmt: skip
    began_at = models.DateTimeField(null=True)  # the log-in
    used_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=64, blank=True, default="", db_default="")
    agent = models.CharField(max_length=AGENT_LENGTH, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return "session"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore

    def save(self, *args: Any, force_update: bool = False, **kwargs: Any) -> None:
        """Store it; a change leaves the log-in's time, and the caller when there is none."""
        if force_update:
            kwargs["update_fields"] = ["session_data", "expire_date", "user"]
            if self.address:
                kwargs["update_fields"] += ["used_at", "address", "agent"]
        super().save(*args, force_update=force_update, **kwargs)


_LIVE: CompiledQuery[Session] = CompiledQuery(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now)
)


class SessionStore(DatabaseStore):
    """Django's engine on this table: the cookie has the key, the database its hash."""

    _row: Session | None = None  # as it was loaded
    _began_at: datetime | None = None
    _address = _agent = ""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def note_caller(self, address: str, agent: str) -> None:
        """Tell from where and with what the session is used now."""
        self._address, self._agent = address, agent.replace("\0", "")[:AGENT_LENGTH]

    def load(self) -> dict[str, Any]:
        """Return the session's contents; empty when there is none."""
        row = self._get_session_from_db()
        if row is None:
            return {}
        self._row, self._began_at = row, row.began_at if row.user_id else None
        return self.decode(row.session_data)

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key
        row = _LIVE.first(key=digest(key), now=timezone.now()) if key else None
        if row is None:
            self._session_key = None
        return row

    def flush(self) -> None:
        """End the session; what begins with the next key is another log-in."""
        super().flush()
        self._row = self._began_at = None

    def create_model_instance(self, data: Any) -> Session:
        """Return the row of this session as it is now."""
        row = cast(Session, super().create_model_instance(data))
        now = timezone.now()
        row.user_id = int(data[USER_KEY]) if USER_KEY in data else None
        row.began_at, row.used_at = self._began_at or now, now
        row.address, row.agent = self._address, self._agent
        return row

    def note_use(self) -> None:
        """Store that a log-in was used just now, once a minute."""
        row, now = self._row, timezone.now()
        if row is None or USER_KEY not in self or self.session_key is None:
            return
        if row.used_at and now - row.used_at < USED_EVERY:
            return
        Session.objects.filter(session_key=self.session_key).update(
            user_id=int(self[USER_KEY]), began_at=row.began_at or now, used_at=now,
            address=self._address, agent=self._agent,
        )  # fmt: skip
