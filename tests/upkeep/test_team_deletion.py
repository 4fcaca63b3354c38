"""A deleted team is out of sight at once, and nothing of it stays; other teams notice nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import (
    ApiToken,
    AuditAct,
    AuditEntry,
    Batch,
    BatchItem,
    FalRequest,
    KeptFile,
    Membership,
    Role,
    Status,
    Team,
    TokenScope,
)
from requests_app.teams import deleting, tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.upkeep import team_deletion
from tests.builders import make_person, make_queued, make_request
from tests.upkeep.test_retention import make_ended

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def mine(owner: User, team: Team, stranger: User) -> Membership:
    return team.memberships.get(user=owner)


def delete(mine: Membership, *, cancels: bool = False) -> None:
    deleting.begin(mine, mine.team.name, cancels=cancels, now=NOW)


def work(now: Any = None) -> int:
    """Do all that can be done; return the number of pieces."""
    pieces = 0
    while team_deletion.delete_piece(now or timezone.now()):
        pieces += 1
    return pieces


def fill(team: Team, owner: User) -> None:
    for number in range(3):
        make_ended(team, owner, days=1, request_id=f"of {team.pk} {number}")
    batch = Batch.objects.create(
        team=team, person=owner, endpoint_id="acme/img", text="{}", created_at=NOW, state="running",
        total=1, waiting=1, due_at=NOW,
    )  # fmt: skip
    BatchItem.objects.create(batch=batch, number=1, values="{}")
    mine = Membership.objects.get(team=team, user=owner)
    new = tokens.NewToken("ci", TokenScope.SUBMIT, is_service=True)
    tokens.issue(mine, new)


def left_of(team_id: int) -> dict[str, int]:
    """Rows of any model that name the team."""
    found = {}
    for model in apps.get_app_config("requests_app").get_models():
        if any(field.name == "team" for field in model._meta.fields):
            found[model.__name__] = model._default_manager.filter(team=team_id).count()
    return {name: count for name, count in found.items() if count}


def test_nothing_of_it_stays_but_the_audit_trail(mine, team, owner):
    other = Team.objects.exclude(pk=team.pk).get()
    also = Membership.objects.create(team=other, user=owner, role=Role.OWNER)
    for one in (team, other):
        fill(one, owner)
    make_request(team=team, person=owner)  # waits to be sent
    before, users = left_of(other.pk), User.objects.count()
    delete(mine)
    assert not Team.objects.of(owner).filter(pk=team.pk).exists()
    assert not ApiToken.objects.filter(team=team).exists()
    assert not FalRequest.objects.filter(team=team).due(NOW + HOUR).exists()
    assert Team.objects.filter(name="Acme").count() == 0  # the name is free
    assert work() > 1
    assert left_of(team.pk) == {} and not Team.objects.filter(pk=team.pk).exists()
    assert User.objects.count() == users - 1  # the service account
    assert left_of(other.pk) == before and also.team.memberships.filter(pk=also.pk).exists()
    acts = list(AuditEntry.objects.filter(chain=team.pk).values_list("act", flat=True))
    assert AuditAct.TEAM_DELETING in acts and AuditAct.TEAM_DELETED in acts


@pytest.mark.parametrize("typed", ["", "acme ltd", "ACME", "Acme!"])
def test_the_name_has_to_be_typed_by_an_owner(mine, team, typed):
    with pytest.raises(TeamChangeRefused, match="name"):
        deleting.begin(mine, typed, cancels=False, now=NOW)
    admin = team.memberships.get(user=make_person("admin", team=team, role=Role.ADMIN))
    with pytest.raises(TeamChangeRefused, match="Only an owner"):
        delete(admin)
    assert work() == 0


def test_the_only_team_of_an_installation_stays(mine, team):
    Team.objects.exclude(pk=team.pk).delete()
    with pytest.raises(TeamChangeRefused, match="only team"):
        delete(mine)


def test_open_requests_are_cancelled_first_where_that_was_asked_for(mine, team, owner):
    row = make_queued(team=team, person=owner)
    delete(mine, cancels=True)
    work()
    row.refresh_from_db()
    assert row.cancel_asked_at is not None  # it waits for fal's answer
    FalRequest.objects.filter(pk=row.pk).update(status=Status.CANCELLED, ended_at=NOW)
    work()
    assert not Team.objects.filter(pk=team.pk).exists()


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(mine, team, owner):
    make_queued(team=team, person=owner)
    delete(mine, cancels=True)
    work()
    assert Team.objects.filter(pk=team.pk).exists()
    work(timezone.now() + HOUR)
    assert not Team.objects.filter(pk=team.pk).exists()


def test_a_row_that_a_worker_holds_and_a_file_of_the_store_are_waited_for(mine, team, owner):
    row = make_queued(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(leased_until=timezone.now() + HOUR)
    file = KeptFile.objects.create(team=team, sha256="a" * 64, size=1, name="n", created_at=NOW)
    delete(mine)
    work()
    assert FalRequest.objects.filter(pk=row.pk).exists()
    FalRequest.objects.filter(pk=row.pk).update(leased_until=None)
    work()
    assert Team.objects.filter(pk=team.pk).exists()
    file.refresh_from_db()
    assert file.removed_at is not None  # the keeper of copies removes it from the store
    file.delete()
    work()
    assert not Team.objects.filter(pk=team.pk).exists()
