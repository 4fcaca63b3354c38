"""Seal entries in a hash chain for each team, and find what was changed in it.

    entry   SHA-256 over its columns as one JSON text
    seal    SHA-256 over the digest of the seal before and the digests of its entries, in order of their keys

A user who may write to the database can also compute a new chain. Against that, `manage.py verify_audit` prints the
head: keep it elsewhere, and give it to a later run with `--head`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from requests_app.audit.writing import canonical
from requests_app.models import AuditEntry, AuditSeal

AT_ONCE = 1000  # entries in one seal
FIRST = "0" * 64  # what stands before the first seal


@dataclass(frozen=True)
class Head:
    """The newest seal of a chain: with it, everything before is fixed."""

    chain: int
    number: int
    digest: str


class _Overtaken(Exception):
    """Another process has sealed these entries."""


def seal(now: datetime) -> int:
    """Seal what is not sealed yet, at most `AT_ONCE` entries of each chain; return how many."""
    waiting = AuditEntry.objects.filter(seal=None).order_by("pk")[:AT_ONCE]
    by_chain: dict[int, list[AuditEntry]] = defaultdict(list)
    for entry in waiting:
        by_chain[entry.chain].append(entry)
    return sum(_seal(chain, entries, now) for chain, entries in by_chain.items())


def _seal(chain: int, entries: list[AuditEntry], now: datetime) -> int:
    try:
        with transaction.atomic():
            last = AuditSeal.objects.filter(chain=chain).order_by("-number").first()
            made = AuditSeal.objects.create(
                chain=chain,
                number=last.number + 1 if last else 1,
                count=len(entries),
                digest=digest_of(last.digest if last else FIRST, entries),
                made_at=now,
                last_at=max(entry.at for entry in entries),
            )
            keys = [entry.pk for entry in entries]
            if AuditEntry.objects.filter(pk__in=keys, seal=None).update(seal=made) != len(keys):
                raise _Overtaken
    except (IntegrityError, _Overtaken):  # two workers at once: the other one's seal stands
        return 0
    return len(entries)


def digest_of(before: str, entries: Iterable[AuditEntry]) -> str:
    """Return the digest of a seal over these entries, after the seal with the digest `before`."""
    total = hashlib.sha256(before.encode())
    for entry in entries:
        total.update(_digest(entry))
    return total.hexdigest()


def _digest(entry: AuditEntry) -> bytes:
    told = [
        entry.pk, entry.chain, entry.at.isoformat(), entry.act, entry.actor, entry.token, entry.address,
        entry.kind, entry.object_id, entry.label, entry.details,
    ]  # fmt: skip
    return hashlib.sha256(canonical(told).encode()).digest()


def heads() -> list[Head]:
    """Return the newest seal of every chain."""
    newest = AuditSeal.objects.values("chain").annotate(newest=Max("number")).order_by("chain")
    return [
        Head(one["chain"], one["newest"], AuditSeal.objects.get(chain=one["chain"], number=one["newest"]).digest)
        for one in newest
    ]  # fmt: skip


def unsealed() -> int:
    """Return how many entries wait for a seal."""
    return AuditEntry.objects.filter(seal=None).count()


def verify(chain: int) -> Iterator[str]:
    """Yield a sentence for each fault of a chain: a changed, added, moved or missing entry or seal."""
    before, expected = FIRST, 1
    for made in AuditSeal.objects.filter(chain=chain).order_by("number").iterator():
        if made.number != expected:
            yield f"Seals {expected} to {made.number - 1} are missing."
            before = ""  # what follows cannot be judged by its predecessor
        expected = made.number + 1
        entries = list(made.entries.order_by("pk"))
        if made.pruned_at is None:
            yield from _faults(made, entries, before)
        elif entries:
            yield f"Seal {made.number}: its entries were removed by retention, and {len(entries)} are there."
        before = made.digest


def _faults(made: AuditSeal, entries: list[AuditEntry], before: str) -> Iterator[str]:
    if len(entries) != made.count:
        yield f"Seal {made.number}: it was made over {made.count} entries, and {len(entries)} are there."
    elif before and digest_of(before, entries) != made.digest:
        ids = f"{entries[0].pk} to {entries[-1].pk}" if entries else "none"
        yield f"Seal {made.number}: an entry was changed, or the seal before it (entries {ids})."


def chains() -> list[int]:
    """Return the chains that have entries or seals."""
    found = set(AuditSeal.objects.values_list("chain", flat=True).distinct())
    return sorted(found | set(AuditEntry.objects.values_list("chain", flat=True).distinct()))
