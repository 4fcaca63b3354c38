"""The chain: what is sealed and then changed, added, moved or removed in the database is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from requests_app import audit
from requests_app.audit import pruning, sealing
from requests_app.models import AuditAct, AuditEntry, AuditSeal

pytestmark = pytest.mark.django_db
NOW = timezone.now


def noted(count: int = 3, *, team_id: int = 1) -> None:
    on = [
        audit.Noted("setting", str(number), f"nr. {number}", {"after": number})
        for number in range(count)
    ]
    audit.note_all(AuditAct.SETTING_CHANGED, on, team_id=team_id)


def sealed(blocks: int = 3, *, team_id: int = 1) -> None:
    for _ in range(blocks):
        noted(team_id=team_id)
        assert sealing.seal(NOW()) == 3


def test_a_chain_that_nothing_touched_is_intact() -> None:
    sealed()
    sealed(2, team_id=2)
    noted(1)
    assert list(sealing.verify(1)) == list(sealing.verify(2)) == []
    assert sealing.unsealed() == 1
    assert [(head.chain, head.number) for head in sealing.heads()] == [(1, 3), (2, 2)]


def test_entries_of_several_teams_are_sealed_apart() -> None:
    noted(team_id=1)
    noted(2, team_id=2)
    assert sealing.seal(NOW()) == 5
    assert set(AuditSeal.objects.values_list("chain", "number", "count")) == {(1, 1, 3), (2, 1, 2)}
    assert sealing.seal(NOW()) == 0


TAMPERED = {
    "another actor": lambda: one().update(actor="someone"),
    "another time": lambda: one().update(at=NOW()),
    "another object": lambda: one().update(label="x"),
    "another address": lambda: one().update(address="x"),
    "a changed detail": lambda: one().update(details='{"after":9}'),
    "an entry is gone": lambda: one().delete(),
    "an entry moved to another seal": lambda: one().update(seal=AuditSeal.objects.get(number=3)),
    "an entry moved to another team": lambda: one().update(chain=2),
    "an entry was taken out of its seal": lambda: one().update(seal=None),
    "an entry was added": lambda: AuditEntry.objects.create(
        chain=1, at=NOW(), act="login.in", seal=AuditSeal.objects.get(number=2)
    ),
    "a seal is gone with its entries": lambda: (
        AuditEntry.objects.filter(seal__number=2).delete(),
        AuditSeal.objects.filter(number=2).delete(),
    ),
    "the first seal is gone": lambda: (
        AuditEntry.objects.filter(seal__number=1).delete(),
        AuditSeal.objects.filter(number=1).delete(),
    ),
    "a digest was changed": lambda: AuditSeal.objects.filter(number=1).update(digest="0" * 64),
    "called pruned, with its entries": lambda: AuditSeal.objects.filter(number=2).update(pruned_at=NOW()),
}  # fmt: skip


def one():  # type: ignore[no-untyped-def]
    pk = AuditEntry.objects.filter(seal__number=2).order_by("pk")[1].pk
    return AuditEntry.objects.filter(pk=pk)


@pytest.mark.parametrize("what", list(TAMPERED))
def test_it_finds(what: str) -> None:
    sealed()
    TAMPERED[what]()
    assert list(sealing.verify(1))


def test_a_seal_that_another_process_has_made_stands() -> None:
    noted()
    mine = list(AuditEntry.objects.filter(seal=None).order_by("pk"))
    assert sealing.seal(NOW()) == 3  # the other process
    assert sealing._seal(1, mine, NOW()) == 0
    assert AuditSeal.objects.count() == 1
    assert list(sealing.verify(1)) == []


def test_retention_removes_whole_blocks_and_the_chain_goes_on() -> None:
    sealed()
    old = NOW() - timedelta(days=400)
    AuditSeal.objects.filter(number__lte=2).update(last_at=old)
    assert pruning.remove_before(NOW() - timedelta(days=365), now=NOW()) == 6
    assert AuditEntry.objects.count() == 3
    sealed(1)
    assert list(sealing.verify(1)) == []
    assert pruning.remove_before(NOW() - timedelta(days=365), now=NOW()) == 0
