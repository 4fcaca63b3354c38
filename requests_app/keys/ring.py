"""All fal keys in memory, read anew every few seconds: a poll asks for its key without a query.

A call that begins takes `key_for` its team and endpoint, and its row remembers it; whatever follows
takes `key_of` the row. Without a key of the team's the installation's own (`FAL_KEY`) is taken.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import DatabaseError

from requests_app.fal.errors import NotSent
from requests_app.keys.encryption import Undecryptable, decrypt
from requests_app.models import FalKey, digest

FRESH_S = 5.0  # until a key that was added, replaced or removed counts in every process

REMOVED = (
    "The fal key “{name}”, with which this request was sent, was removed. "
    "An owner or admin can give it again under Settings."
)
NEVER_GIVEN = (
    "This request was sent with “{name}”, a key that its program keeps to itself: its end is known when the program "
    "fetches the result through the gateway, or when an owner or admin gives that key under Settings."
)
UNREADABLE = (
    "The fal key “{name}” cannot be decrypted: ENCRYPTION_KEYS has changed. "
    "An owner or admin has to give it again under Settings."
)


@dataclass(frozen=True)
class Key:
    """A key for calls to fal; `pk` None: the installation's. `problem`: a sentence, when it is unusable."""

    pk: int | None
    secret: str = field(repr=False)
    digest: str = field(repr=False)
    problem: str = ""

    def ensure_usable(self) -> None:
        """Raise NotSent when there is no secret to make a call with."""
        if self.problem:
            raise NotSent(self.problem)


@dataclass(frozen=True)
class _Snapshot:
    read_at: float
    by_pk: dict[int, Key]
    of_team: dict[int, list[tuple[str, Key]]]  # with patterns, the most exact first
    is_read: bool = True


_EMPTY = _Snapshot(float("-inf"), {}, {}, is_read=False)
_lock = threading.Lock()
_snapshot = _EMPTY


def environment_key() -> Key:
    """Return the installation's own key; its secret is empty where there is none."""
    return Key(None, settings.FAL_KEY, digest(settings.FAL_KEY))


def key_for(team_id: int, endpoint_id: str = "") -> Key:
    """Return the key with which the team calls this endpoint: of the closest pattern, else its
    default, else the installation's. May query.
    """
    keys = _current().of_team.get(team_id, ())
    return next((key for pattern, key in keys if fits(pattern, endpoint_id)), environment_key())


def key_of(pk: int | None) -> Key:
    """Return the key that a row remembers. May query."""
    if pk is None:
        return environment_key()
    if (known := _current().by_pk.get(pk)) is None:
        forget()  # made a moment ago by another process
        known = _current().by_pk.get(pk)
    return known or Key(pk, "", "", REMOVED.format(name=pk))


def is_fresh() -> bool:
    """Whether the next question needs no query."""
    return time.monotonic() - _snapshot.read_at < FRESH_S


def forget() -> None:
    """Read the keys anew at the next question."""
    global _snapshot
    _snapshot = replace(_snapshot, read_at=float("-inf"))


def fits(pattern: str, endpoint_id: str) -> bool:
    """Whether a key's pattern is for this endpoint; the empty one is for all."""
    if pattern.endswith("*"):
        return endpoint_id.startswith(pattern[:-1])
    return not pattern or endpoint_id == pattern or endpoint_id.startswith(f"{pattern}/")


def _current() -> _Snapshot:
    global _snapshot
    if is_fresh():
        return _snapshot
    with _lock:
        if not is_fresh():
            try:
                _snapshot = _read()
            except DatabaseError:
                if not _snapshot.is_read:
                    raise
        return _snapshot  # while the database is away, as it was known before


def _read() -> _Snapshot:
    began, by_pk = time.monotonic(), {}
    of_team: dict[int, list[tuple[str, Key]]] = {}
    for row in FalKey.objects.all():
        key = by_pk[row.pk] = _key(row)
        if row.removed_at is None:
            of_team.setdefault(row.team_id, []).append((row.pattern, key))
    for keys in of_team.values():
        keys.sort(key=lambda one: (-len(one[0].rstrip("*")), one[0].endswith("*")))
    return _Snapshot(began, by_pk, of_team)


def _key(row: FalKey) -> Key:
    if row.removed_at is not None:
        sentence = NEVER_GIVEN if row.is_of_program else REMOVED
        return Key(row.pk, "", row.digest, sentence.format(name=row.name))
    try:
        return Key(row.pk, decrypt(row.encrypted, team_id=row.team_id), row.digest)
    except Undecryptable:
        return Key(row.pk, "", row.digest, UNREADABLE.format(name=row.name))
