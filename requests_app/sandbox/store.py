"""What outlives a kill: requests, results, files, secrets and the ledger, in one SQLite file.

Without a file the same tables live in SQLite's own temporary database, which spills to disk by
itself and vanishes with the process, so that a long session does not grow in memory.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from . import ids
from .record import LogMessage, QueuedRequest
from .replies import Reply

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests(
    id TEXT PRIMARY KEY, facts TEXT NOT NULL, body BLOB NOT NULL, reply TEXT, output BLOB);
CREATE TABLE IF NOT EXISTS files(
    name TEXT PRIMARY KEY, content_type TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS uploads(name TEXT PRIMARY KEY, content_type TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS parts(
    upload TEXT, number INTEGER, data BLOB NOT NULL, PRIMARY KEY (upload, number));
CREATE TABLE IF NOT EXISTS secrets(name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS ledger(position INTEGER PRIMARY KEY, entry TEXT NOT NULL);
"""
FACTS = (
    "user_id", "accepted_at", "priority", "webhook_url", "start_timeout_s", "no_retry",
    "gateway_id", "status", "attempts", "started_at", "ended_at", "error", "webhook_done",
)  # fmt: skip


class Store:
    """One connection, used by the server's event loop alone. Each call is its own transaction."""

    def __init__(self, path: Path | None) -> None:
        # The thread that starts the server opens it, so that a bad path fails there and loudly.
        self._db = sqlite3.connect(path or "", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def save_request(self, request: QueuedRequest) -> None:
        facts = {name: getattr(request, name) for name in FACTS}
        facts["endpoint_id"] = str(request.endpoint_id)
        facts["cancel_requested"] = request.cancel_requested.is_set()
        facts["logs"] = [asdict(line) for line in request.logs]
        reply, output = _split(request.reply)
        self._db.execute(
            "INSERT INTO requests VALUES (?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
            " facts=excluded.facts, reply=excluded.reply, output=excluded.output",
            (request.id, json.dumps(facts), request.body, reply, output),
        )

    def requests(self) -> Iterator[QueuedRequest]:
        """Every kept request, oldest first."""
        query = "SELECT id, facts, body, reply, output FROM requests ORDER BY rowid"
        for row in self._db.execute(query).fetchall():
            yield _restore(*row)

    def forget_request(self, request_id: str) -> None:
        self._db.execute("DELETE FROM requests WHERE id=?", (request_id,))

    def save_file(self, name: str, content_type: str, data: bytes) -> None:
        row = (name, content_type, data)
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?,?,?)", row)

    def file(self, name: str) -> tuple[str, bytes] | None:
        """Content type and bytes."""
        query = "SELECT content_type, data FROM files WHERE name=?"
        row: tuple[str, bytes] | None = self._db.execute(query, (name,)).fetchone()
        return row

    def forget_file(self, name: str) -> None:
        self._db.execute("DELETE FROM files WHERE name=?", (name,))

    def expect_upload(self, name: str, content_type: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO uploads VALUES (?,?)", (name, content_type))

    def expected_upload(self, name: str) -> str | None:
        """The content type that was announced for the file."""
        query = "SELECT content_type FROM uploads WHERE name=?"
        row = self._db.execute(query, (name,)).fetchone()
        return row[0] if row else None

    def save_part(self, upload: str, number: int, data: bytes) -> None:
        row = (upload, number, data)
        self._db.execute("INSERT OR REPLACE INTO parts VALUES (?,?,?)", row)

    def take_parts(self, upload: str) -> list[tuple[int, bytes]]:
        """The parts in order; they are gone afterwards."""
        query = "SELECT number, data FROM parts WHERE upload=? ORDER BY number"
        rows = self._db.execute(query, (upload,)).fetchall()
        self._db.execute("DELETE FROM parts WHERE upload=?", (upload,))
        return rows

    def secret(self, name: str, fresh: bytes) -> bytes:
        """The kept secret of that name, or `fresh` from now on."""
        self._db.execute("INSERT OR IGNORE INTO secrets VALUES (?,?)", (name, fresh))
        query = "SELECT value FROM secrets WHERE name=?"
        value: bytes = self._db.execute(query, (name,)).fetchone()[0]
        return value

    def add_ledger(self, entry: dict[str, object]) -> None:
        self._db.execute("INSERT INTO ledger(entry) VALUES (?)", (json.dumps(entry),))

    def ledger(self) -> list[dict[str, object]]:
        rows = self._db.execute("SELECT entry FROM ledger ORDER BY position").fetchall()
        return [json.loads(row[0]) for row in rows]


def _split(reply: Reply | None) -> tuple[str | None, bytes | None]:
    if reply is None:
        return None, None
    facts = (reply.status_code, dict(reply.headers), reply.error_type)
    return json.dumps(facts), reply.body


def _restore(
    request_id: str, facts_text: str, body: bytes, reply: str | None, output: bytes | None
) -> QueuedRequest:
    facts = json.loads(facts_text)
    endpoint_id = ids.parse(facts.pop("endpoint_id"))
    if endpoint_id is None:
        raise ValueError(f"request {request_id} names no endpoint")
    logs = [LogMessage(**line) for line in facts.pop("logs")]
    cancel = facts.pop("cancel_requested")
    request = QueuedRequest(request_id, endpoint_id=endpoint_id, body=body, logs=logs, **facts)
    if cancel:
        request.cancel_requested.set()
    if reply is not None:
        status_code, headers, error_type = json.loads(reply)
        request.reply = Reply(status_code, output or b"", headers, error_type)
    return request
