"""What is left when all is over: our database, fal's own record, the proxy's log, the history."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.rig.history import Operation

ENDED = frozenset({"completed", "failed", "cancelled"})
LIVE = frozenset({"pending", "submitting", "uncertain", "in_queue", "in_progress"})


@dataclass(frozen=True)
class Row:
    """A request as our database has it. `body`, `value` and `output` are digests.

    `value` is that of the input's JSON, however it was written.
    """

    pk: int
    id: str
    status: str
    mode: str
    seq: int
    body: str
    fal_request_id: str = ""
    output: str = ""
    value: str = ""

    @property
    def is_ended(self) -> bool:
        """Ended states never change."""
        return self.status in ENDED


@dataclass(frozen=True)
class Heard:
    """One observation."""

    id: int
    pk: int
    kind: str
    source: str
    status: str
    heard_at: float


@dataclass(frozen=True)
class Accepted:
    """One entry of fal's ledger: a body it has taken."""

    kind: str
    request_id: str
    body: str


@dataclass(frozen=True)
class AtFal:
    """A queued request as fal has it. `code` is that of its result; None while there is none."""

    request_id: str
    body: str
    code: int | None
    output: str = ""

    @property
    def end(self) -> str | None:
        """The end we must have found, None while fal has not ended it."""
        if self.code is None:
            return None
        return "cancelled" if self.code == 499 else "completed" if self.code < 400 else "failed"


@dataclass(frozen=True)
class Post:
    """A submit, run or webhook that came by a proxy; `status` is what the upstream answered."""

    t: float
    kind: str
    key: str
    fault: str
    status: int | None


@dataclass(frozen=True)
class Evidence:
    """All there is to judge."""

    history: list[Operation] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    delivered: frozenset[str] = frozenset()  # public ids of rows with a kept webhook
    ledger: list[Accepted] = field(default_factory=list)
    at_fal: list[AtFal] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    def operations(self, f: str, type: str = "ok") -> list[Operation]:
        """Those of one kind."""
        return [op for op in self.history if (op.f, op.type) == (f, type)]


def digest_of(body: bytes) -> str:
    """The same for the same JSON, however it is spaced; "" for nothing."""
    if not body:
        return ""
    with suppress(ValueError):
        body = json.dumps(json.loads(body), sort_keys=True).encode()
    return hashlib.sha256(body).hexdigest()


ROWS = """
SELECT id, public_id, status, mode, seq, input_text, fal_request_id, output
FROM requests_app_falrequest ORDER BY id
"""
HEARD = """
SELECT id, request_id, kind, source, status, extract(epoch FROM heard_at)::float8
FROM requests_app_observation ORDER BY id
"""
DELIVERED = """
SELECT DISTINCT public_id FROM requests_app_falrequest r JOIN requests_app_delivery d
ON d.request_id = r.id
"""


def rows_of(connection: psycopg.Connection[Any]) -> list[Row]:
    """Every request."""
    return [_row(*found) for found in connection.execute(ROWS).fetchall()]


def _row(pk: int, public_id: Any, status: str, mode: str, seq: int, text: str, *rest: Any) -> Row:
    fal_request_id, output = rest
    body = hashlib.sha256(text.encode()).hexdigest()
    digest = digest_of(bytes(output or b""))
    value = digest_of(text.encode())
    return Row(pk, str(public_id), status, mode, seq, body, fal_request_id, digest, value)


def heard_of(connection: psycopg.Connection[Any]) -> list[Heard]:
    """Every observation, oldest first."""
    return [Heard(*found) for found in connection.execute(HEARD).fetchall()]


def delivered_of(connection: psycopg.Connection[Any]) -> frozenset[str]:
    """Which requests have a webhook delivery on record."""
    return frozenset(str(public_id) for (public_id,) in connection.execute(DELIVERED).fetchall())


def fal_of(state: Path) -> tuple[list[Accepted], list[AtFal]]:
    """fal's ledger and its requests, from its state file."""
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as fal:
        entries = [json.loads(text) for (text,) in fal.execute("SELECT entry FROM ledger")]
        found = fal.execute("SELECT id, body, reply, output FROM requests").fetchall()
    ledger = [Accepted(e["kind"], e["request_id"], e["body_sha256"]) for e in entries]
    return ledger, [_at_fal(*row) for row in found]


def _at_fal(request_id: str, body: bytes, reply: str | None, output: bytes | None) -> AtFal:
    code = json.loads(reply)[0] if reply else None
    digest = digest_of(output or b"")
    return AtFal(request_id, hashlib.sha256(body).hexdigest(), code, digest)


def posts_of(log: Path) -> list[Post]:
    """The proxies' log, oldest first."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return sorted((Post(**json.loads(line)) for line in lines), key=lambda post: post.t)


def tracebacks_in(folder: Path, names: str) -> int:
    """How often the logs that match show a traceback."""
    return sum(
        len(re.findall(r"^Traceback", path.read_text(errors="replace"), re.MULTILINE))
        for path in folder.glob(names)
    )
