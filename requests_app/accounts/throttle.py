"""Throttle guesses and mails: counted in the database, before a password is checked or a mail sent.

Counted by account (for browsers that have not logged in to it before), by network, and by device
(for those that have). A keyed hash chooses one of a fixed number of slots: the table cannot grow
beyond them, so no count is evicted to make room, and an attacker cannot evict one. Names without an
account are counted like others, and so reveal nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from requests_app.models import GuessCounter

SLOTS = 65_536  # per kind
PRUNE_AT_ONCE = 500  # rows


@dataclass(frozen=True)
class Limit:
    """The number of guesses allowed within any period of this length."""

    guesses: int
    period: timedelta


LIMITS = {
    "account": Limit(20, timedelta(days=1)),
    "network": Limit(30, timedelta(hours=1)),
    "device": Limit(20, timedelta(hours=1)),
    "change": Limit(10, timedelta(hours=1)),  # the present password, asked for by a change
    "reset": Limit(5, timedelta(hours=1)),  # mails with a reset link, by address
    "resets": Limit(30, timedelta(hours=1)),  # questions for one, by network
    "names": Limit(5, timedelta(days=1)),  # refused names of new accounts, by address
    "factor": Limit(20, timedelta(hours=1)),  # codes of a second factor, by account or device
    "factors": Limit(30, timedelta(hours=1)),  # the same, by network
    "verify": Limit(10, timedelta(hours=1)),  # mails that verify an address, by account
}


@dataclass(frozen=True)
class Subject:
    """What guesses are counted for: a kind of LIMITS, and which one of that kind."""

    kind: str
    name: str

    @property
    def slot(self) -> int:
        """Return which of the kind's slots; not predictable without the secret key."""
        hashed = salted_hmac("faldeck.guesses", f"{self.kind}:{self.name}", algorithm="sha256")
        return int.from_bytes(hashed.digest()[:8]) % SLOTS


@dataclass(frozen=True)
class Guess:
    """A counted guess."""

    subjects: tuple[Subject, ...]
    at: float


class TooManyGuesses(Exception):
    """The guess is refused; `wait` says for how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"Wait {wait}.")
        self.wait = wait


def count(subjects: Iterable[Subject], *, now: datetime) -> Guess:
    """Count a guess for all subjects, or raise TooManyGuesses and count it for none."""
    # Lock in one order everywhere, or two guesses that need the same rows could deadlock.
    guess = Guess(tuple(sorted(subjects, key=lambda one: (one.kind, one.slot))), now.timestamp())
    with transaction.atomic():
        rows = [(_locked(subject, now), LIMITS[subject.kind]) for subject in guess.subjects]
        waits = [_wait(row, limit, guess.at) for row, limit in rows]
        if any(waits):
            raise TooManyGuesses(timedelta(seconds=max(waits)))
        for row, limit in rows:
            row.guesses = [*_recent(row, limit, guess.at), guess.at]
            row.expires_at = now + limit.period
            row.save(update_fields=["guesses", "expires_at"])
    return guess


def take_back(guess: Guess) -> None:
    """Remove a guess from the counts: it was right."""
    with transaction.atomic():
        for subject in guess.subjects:
            rows = GuessCounter.objects.filter(kind=subject.kind, slot=subject.slot)
            row = rows.select_for_update().first()
            if row and guess.at in row.guesses:
                row.guesses.remove(guess.at)
                row.save(update_fields=["guesses"])


def prune(*, now: datetime) -> None:
    """Delete expired counts. A row that is locked stays."""
    with transaction.atomic():
        old = GuessCounter.objects.filter(expires_at__lt=now)
        keys = old.select_for_update(skip_locked=True).values_list("pk", flat=True)
        GuessCounter.objects.filter(pk__in=list(keys[:PRUNE_AT_ONCE])).delete()


def _locked(subject: Subject, now: datetime) -> GuessCounter:
    row, _ = GuessCounter.objects.select_for_update().get_or_create(
        kind=subject.kind, slot=subject.slot, defaults={"expires_at": now}
    )
    return row


def _recent(row: GuessCounter, limit: Limit, at: float) -> list[float]:
    return [one for one in row.guesses if one > at - limit.period.total_seconds()]


def _wait(row: GuessCounter, limit: Limit, at: float) -> float:
    """Return the seconds until the limit has room; 0 when it has."""
    recent = _recent(row, limit, at)
    if len(recent) < limit.guesses:
        return 0.0
    return recent[-limit.guesses] + limit.period.total_seconds() - at


def in_words(wait: timedelta) -> str:
    """Say the wait in words, rounded up: "3 hours", "1 minute"."""
    seconds = int(wait.total_seconds()) + 1
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds > size or size == 1:
            number = -(-seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    raise AssertionError
