"""After a restore: rows that were pending in the backup may have been sent since."""

from __future__ import annotations

from requests_app.models import FalRequest, Observation, Status

_NOTE = (
    "Restored from a backup in which it waited to be sent: it may have been sent since, "
    "and nothing here would know."
)
_ROWS, _SEEN = FalRequest._meta.db_table, Observation._meta.db_table

# SQL, because it runs in the transaction that restores the rows: between two transactions a worker
# would send the rows a second time.
DOUBT_PENDING = (
    f"INSERT INTO {_SEEN} (request_id, kind, source, status, note, data, asked_at, heard_at)"  # noqa: S608  # nosec B608  # names and statuses of ours
    f" SELECT id, 'uncertain', 'us', '{Status.UNCERTAIN}', '{_NOTE}', '{{}}',"
    f" CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM {_ROWS} WHERE status = '{Status.PENDING}';",
    f"UPDATE {_ROWS} SET status = '{Status.UNCERTAIN}', due_at = NULL, lease = NULL,"  # noqa: S608  # nosec B608  # names and statuses of ours
    f" leased_until = NULL, seq = (SELECT MAX({_SEEN}.id) FROM {_SEEN}"
    f" WHERE {_SEEN}.request_id = {_ROWS}.id) WHERE status = '{Status.PENDING}';",
)
