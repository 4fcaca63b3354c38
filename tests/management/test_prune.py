from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from requests_app.models import FalRequest, Team
from tests.builders import hear, make_queued, make_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(team: Team, owner: User) -> FalRequest:
    row = make_queued(team=team, person=owner)
    hear(row, make_result())
    FalRequest.objects.update(ended_at=timezone.now() - timedelta(days=31))
    Team.objects.filter(pk=team.pk).update(payload_days=30)
    return row


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_says_what_would_go_and_keeps_it(row: FalRequest) -> None:
    said = prune("--dry-run")
    assert "Acme: payload of 1 request (" in said
    assert "would go" in said
    row.refresh_from_db()
    assert row.output


def test_it_removes_what_the_dry_run_named(row: FalRequest) -> None:
    assert "removed" in prune()
    row.refresh_from_db()
    assert row.output is None
    assert "Nothing is past its time." in prune()


def test_another_team_may_be_left_out(row: FalRequest) -> None:
    Team.objects.create(name="Other")
    assert "Nothing is past its time." in prune("--team", "Other")
    assert "removed" in prune("--team", "Acme")


def test_a_team_that_is_not_there_is_said_so(row: FalRequest) -> None:
    with pytest.raises(CommandError, match="no team 'Nobody'"):
        prune("--team", "Nobody")
