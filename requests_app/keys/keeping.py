"""Add, replace and remove the fal keys of a team; note how their calls went."""

from __future__ import annotations

import re
import threading
import time
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from requests_app import audit
from requests_app.keys import ring
from requests_app.keys.encryption import Undecryptable, encrypt, is_of_first, rotated
from requests_app.models import (
    AuditAct,
    FalKey,
    FalRequest,
    ForwardDestination,
    NoticeChannel,
    Team,
    digest,
)

MOST_KEYS = 50  # of a team, removed ones not counted
NOTED_EVERY_S = 60.0
FORM = re.compile(r"[\x21-\x39\x3b-\x7e]+:[\x21-\x7e]+")  # id:secret, one line of visible ASCII

_noted: dict[tuple[int, str], float] = {}
_noting = threading.Lock()


class KeyRefused(Exception):
    """The key cannot be kept; a sentence for the user, which never has the key. `field` of the form."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def add(
    team: Team, *, name: str, pattern: str, secret: str, by: AbstractBaseUser, now: datetime
) -> FalKey:
    """Store a key for the endpoints of the pattern; an empty one is the team's default. Raises KeyRefused."""
    if FalKey.objects.filter(team=team, removed_at=None).count() >= MOST_KEYS:
        raise KeyRefused("name", f"A team has at most {MOST_KEYS} keys.")
    row = FalKey(team=team, name=name, pattern=pattern, made_by_id=by.pk, created_at=now)
    _set_secret(row, secret, now)
    try:
        with transaction.atomic():
            row.save()
            _audit(AuditAct.KEY_ADDED, row)
    except IntegrityError:
        what = f"for “{pattern}”" if pattern else "for all other endpoints"
        raise KeyRefused("pattern", f"There is a key {what} already: replace it.") from None
    _changed()
    return row


def replace(team: Team, pk: int, secret: str, *, now: datetime) -> bool:
    """Give a key another secret, for new calls and for those that were made with it; also a removed one.

    False when the team has no such key. Raises KeyRefused.
    """
    with transaction.atomic():
        row = FalKey.objects.select_for_update().filter(team=team, pk=pk).first()
        if row is None:
            return False
        is_taken = FalKey.objects.filter(team=team, pattern=row.pattern, removed_at=None)
        if row.removed_at is not None and is_taken.exists():
            # It comes back for the requests that were sent with it, and not for new ones.
            row.pattern = f"#{row.pk}"
        row.removed_at, row.last_error, row.last_error_at = None, "", None
        _set_secret(row, secret, now)
        row.save()
        _audit(AuditAct.KEY_REPLACED, row)
    _changed()
    return True


def remove(team: Team, pk: int, *, now: datetime) -> bool:
    """Forget a key's secret; its row stays for the requests. False when the team has no such key."""
    with transaction.atomic():
        row = FalKey.objects.select_for_update().filter(team=team, pk=pk, removed_at=None).first()
        if row is None:
            return False
        FalKey.objects.filter(pk=row.pk).update(removed_at=now, encrypted="", changed_at=now)
        _audit(AuditAct.KEY_REMOVED, row)
    _changed()
    return True


def open_requests(keys: list[FalKey]) -> dict[int, int]:
    """Return how many open requests were sent with each of a team's keys; those of none are left out."""
    counts: dict[int, int] = {}
    for pk in (
        FalRequest.objects.live().filter(fal_key__in=keys).values_list("fal_key_id", flat=True)
    ):
        counts[pk] = counts.get(pk, 0) + 1
    return counts


ENCRYPTED = (FalKey, NoticeChannel, ForwardDestination)  # models with a column of that name


def rotate() -> tuple[int, int]:
    """Encrypt every key, address and secret with the first secret; return how many, and how many none opens."""
    counts = [_rotate(model) for model in ENCRYPTED]
    return sum(done for done, _ in counts), sum(failed for _, failed in counts)


def _rotate(model: type[FalKey | NoticeChannel | ForwardDestination]) -> tuple[int, int]:
    done = failed = 0
    rows: Any = model._default_manager
    for pk in rows.exclude(encrypted="").values_list("pk", flat=True):
        with transaction.atomic():
            row = rows.select_for_update().filter(pk=pk).first()
            if row is None or not row.encrypted:
                continue
            try:
                row.encrypted = rotated(row.encrypted)
            except Undecryptable:
                failed += 1
                continue
            row.save(update_fields=["encrypted"])
            done += 1
    return done, failed


def of_older_secrets() -> int:
    """Return how many keys and addresses the first secret does not open."""
    found = 0
    for model in ENCRYPTED:
        rows: Any = model._default_manager
        stored = rows.exclude(encrypted="").values_list("encrypted", flat=True)
        found += sum(not is_of_first(one) for one in stored)
    return found


def is_note_due(pk: int, error: str = "") -> bool:
    """Whether a use, or this error, of a key should be stored now: at most once a minute each."""
    now = time.monotonic()
    with _noting:
        if now - _noted.get((pk, error[:80]), float("-inf")) < NOTED_EVERY_S:
            return False
        if len(_noted) > 10_000:
            _noted.clear()
        _noted[pk, error[:80]] = now
    return True


def note(pk: int, error: str = "") -> None:
    """Store that a call was made with the key, and what fal objected to the key."""
    now = timezone.now()
    columns: dict[str, object] = {"last_used_at": now}
    if error:
        columns |= {"last_error": error[:300], "last_error_at": now}
    FalKey.objects.filter(pk=pk).update(**columns)


def clear_error(pk: int) -> None:
    """Forget the last objection: fal has none any more."""
    FalKey.objects.filter(pk=pk).update(last_error="", last_error_at=None)


def _set_secret(row: FalKey, secret: str, now: datetime) -> None:
    if not FORM.fullmatch(secret) or len(secret) > 500:
        raise KeyRefused("secret", "A fal key has the form id:secret, without spaces.")
    row.encrypted, row.digest = encrypt(secret, team_id=row.team_id), digest(secret)
    row.last_four, row.changed_at = secret[-4:], now


def _audit(act: AuditAct, row: FalKey) -> None:
    told = {"pattern": row.pattern, "last_four": row.last_four}
    audit.note(act, audit.Noted("key", str(row.pk), row.name, told), team_id=row.team_id)


def _changed() -> None:
    ring.forget()
    transaction.on_commit(ring.forget)
