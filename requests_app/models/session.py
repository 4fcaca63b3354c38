"""Log-in sessions: table and engine. Keys are stored hashed, so a reader of the database cannot
take one over.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from requests_app.models.team import digest


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

    def __str__(self) -> str:
        return "session"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(DatabaseStore):
    """Django's engine on this table: the cookie has the key, the database its hash."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session
