"""`manage.py verify_audit` says which chain is broken, and knows a head that was noted."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from requests_app.audit import sealing
from requests_app.models import AuditEntry, AuditSeal, Team
from tests.audit.test_sealing import noted, sealed

pytestmark = pytest.mark.django_db


def verify(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_audit", *arguments, stdout=out)
    return out.getvalue()


def test_it_prints_each_chain_with_its_head(team: Team) -> None:
    sealed(2, team_id=team.pk)
    sealed(1, team_id=0)
    noted(1)
    said = verify()
    head = sealing.heads()[1].digest
    assert f"Acme: intact, 2 seals, head {head}" in said
    assert "the installation: intact, 1 seals" in said
    assert "1 new entries are not sealed yet." in said
    assert "installation" not in verify("--team", "Acme", "--head", head)


def test_a_changed_entry_is_an_error(team: Team) -> None:
    sealed(2, team_id=team.pk)
    AuditEntry.objects.filter(seal__number=1).update(actor="x")
    with pytest.raises(CommandError, match="changed outside"):
        verify()


def test_a_chain_that_was_made_anew_lacks_the_head_that_was_noted(team: Team) -> None:
    sealed(2, team_id=team.pk)
    head = sealing.heads()[0].digest
    AuditEntry.objects.update(seal=None, actor="x")
    AuditSeal.objects.all().delete()
    sealing.seal(AuditEntry.objects.get(pk=AuditEntry.objects.earliest("pk").pk).at)
    assert "intact" in verify()
    with pytest.raises(CommandError, match="made anew"):
        verify("--head", head)


def test_a_team_that_is_not_there_is_said_so() -> None:
    with pytest.raises(CommandError, match="no team 'Nobody'"):
        verify("--team", "Nobody")
