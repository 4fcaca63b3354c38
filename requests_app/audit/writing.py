"""Write entries, in the transaction of what they tell."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from requests_app.audit.origin import origin
from requests_app.models import AuditAct, AuditEntry, FalRequest

NO_TEAM = 0
DENIED_EVERY_S = 60.0  # an entry for the same denial of the same caller
MOST_REMEMBERED = 10_000

_denied: dict[tuple[int, str, str], float] = {}
_denying = threading.Lock()


@dataclass(frozen=True)
class Noted:
    """What an act was done to. `details` hold no secret: before, after, why."""

    kind: str = ""
    object_id: str = ""
    label: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def the_request(row: FalRequest, **details: Any) -> Noted:
    """Name a request."""
    return Noted("request", str(row.public_id), row.endpoint_id, details)


def note(
    act: AuditAct, on: Noted, *, team_id: int = NO_TEAM, by: AbstractBaseUser | None = None
) -> None:
    """Store an entry. `by`: the actor where the verb knows them, else the caller."""
    note_all(act, [on], team_id=team_id, by=by)


def note_all(
    act: AuditAct,
    on: Iterable[Noted],
    *,
    team_id: int = NO_TEAM,
    by: AbstractBaseUser | None = None,
) -> None:
    """Store an entry for each object of one act."""
    _store(act, ((team_id, one) for one in on), by)


def note_in_each(
    act: AuditAct, on: Noted, team_ids: Iterable[int], *, by: AbstractBaseUser | None = None
) -> None:
    """Store an entry in the trail of each of these teams, by one statement."""
    _store(act, ((team_id, on) for team_id in team_ids), by)


def _store(
    act: AuditAct, entries: Iterable[tuple[int, Noted]], by: AbstractBaseUser | None
) -> None:
    now, caller = timezone.now(), origin()
    AuditEntry.objects.bulk_create(
        AuditEntry(
            chain=team_id,
            at=now,
            act=act,
            actor=(by.get_username() if by else caller.actor)[:160],
            token=caller.token[:80],
            address=caller.address[:64],
            kind=one.kind[:24],
            object_id=one.object_id[:64],
            label=one.label[:300],
            details=canonical(one.details) if one.details else "",
        )
        for team_id, one in entries
    )


def note_denied(path: str, why: str, *, team_id: int = NO_TEAM) -> None:
    """Store that the caller was denied; the same denial at most once a minute."""
    if _is_fresh((team_id, origin().actor or origin().address, path)):
        note(AuditAct.DENIED, Noted("page", "", path, {"why": why[:300]}), team_id=team_id)


def note_throttled(name: str) -> None:
    """Store that guesses of a password are refused for now; the same name at most once a minute."""
    if _is_fresh((NO_TEAM, origin().address, f"log-in {name}")):
        note(AuditAct.LOGIN_THROTTLED, Noted("account", "", name))


def _is_fresh(key: tuple[int, str, str]) -> bool:
    now = time.monotonic()
    with _denying:
        if now - _denied.get(key, float("-inf")) < DENIED_EVERY_S:
            return False
        if len(_denied) >= MOST_REMEMBERED:
            _denied.clear()
        _denied[key] = now
    return True


def note_export(what: str, label: str, format: str, *, team_id: int) -> None:
    """Store that data was downloaded: `what` of it, which, and in which format."""
    note(AuditAct.EXPORTED, Noted(what, "", label, {"format": format}), team_id=team_id)


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
