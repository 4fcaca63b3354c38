"""The fal key of a row, without a query while all keys in memory are fresh."""

from __future__ import annotations

from contextlib import suppress

from django.db import DatabaseError

from requests_app import keys
from requests_app.fal import FalError, Refused
from requests_app.keys import Key, keeping, ring
from requests_app.models import FalRequest, Status
from requests_app.worker.loop import pool


async def key_of(row: FalRequest) -> Key:
    """Return the key with which the row was sent, or would be sent now."""
    if row.status == Status.PENDING:
        if ring.is_fresh():
            return keys.key_for(row.team_id, row.endpoint_id)
        return await pool.in_database(keys.key_for, row.team_id, row.endpoint_id)
    if row.fal_key_id is None or ring.is_fresh():
        return keys.key_of(row.fal_key_id)
    return await pool.in_database(keys.key_of, row.fal_key_id)


async def note(key: Key, error: FalError | None = None) -> None:
    """Store the use of a team's key, and what fal objects to the key, at most once a minute each."""
    is_about_key = isinstance(error, Refused) and error.status_code in (401, 402, 403)
    text = str(error) if is_about_key else ""
    if key.pk is not None and keeping.is_note_due(key.pk, text):
        with suppress(DatabaseError):  # it will be used again
            await pool.in_database(keeping.note, key.pk, text)
