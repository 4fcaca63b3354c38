"""An account is deleted as a whole or not at all; what is the teams' stays, without the person's name."""

from __future__ import annotations

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.audit import sealing
from requests_app.models import (
    Account,
    ApiToken,
    AuditEntry,
    FalRequest,
    FormerName,
    Membership,
    Observation,
    Role,
    SavedView,
    Session,
    Star,
    Status,
    Team,
)
from requests_app.search import Matches, Scope, parse_search
from requests_app.teams import erasing
from requests_app.teams.people import TeamChangeRefused
from tests.browsers import Browser
from tests.builders import make_person, make_request

pytestmark = pytest.mark.django_db
NAME = "mia.berg"


@pytest.fixture
def mia(team: Team) -> User:
    """A member with all that an account can have."""
    person = make_person(NAME, team=team)
    User.objects.filter(pk=person.pk).update(email="mia@example.org", first_name="Mia")
    EmailAddress.objects.create(user=person, email="mia@example.org", verified=True, primary=True)
    ApiToken.issue(person, team, name="laptop")
    SavedView.objects.create(team=team, owner=person, name="hers")
    browser = Browser()
    browser.force_login(person)
    browser.get("/requests/")
    person.refresh_from_db()
    return person


def erase_all() -> None:
    while erasing.erase_names():
        pass


def everything(*besides: type[models.Model]) -> str:
    """The rows of all tables, as text."""
    from django.apps import apps

    shown = [model for model in apps.get_models() if model not in besides]
    rows = [(model, list(model._default_manager.values())) for model in shown]
    return "\n".join(f"{model.__name__}: {row}" for model, found in rows for row in found)


def test_nothing_of_the_person_is_left_but_in_the_sealed_trail(
    team: Team, owner: User, mia: User
) -> None:
    now = timezone.now()
    row = make_request(team=team, person=mia, input={"n": 1})
    other = make_request(team=team, person=owner, input={"n": 2})
    FalRequest.objects.filter(pk=other.pk).update(status=Status.UNCERTAIN)
    lifecycle.give_up(other.pk, person=mia, now=now)
    lifecycle.add_note(row.pk, f"{NAME} and {NAME}s", person=mia, now=now)
    lifecycle.add_tags(row.pk, ["draft"], person=mia, now=now)
    lifecycle.set_star(row.pk, person=mia, is_on=True)
    sealing.seal(now)
    before = FalRequest.objects.get(pk=row.pk)
    former = erasing.erase(mia, by=mia)
    erase_all()
    told = everything(AuditEntry).replace(f"{NAME}s", "")
    assert [line for line in told.splitlines() if NAME in line] == []
    assert NAME not in told and "mia@example.org" not in told and "'Mia'" not in told
    assert f"{NAME}s" in everything(AuditEntry)  # another word
    assert not Star.objects.exists() and not Session.objects.exists()
    assert not ApiToken.objects.exists() and not SavedView.objects.exists()
    after = FalRequest.objects.select_related("person").get(pk=row.pk)
    assert (after.person.get_username(), after.input_text) == (former, before.input_text)
    assert after.seq == before.seq
    notes = list(Observation.objects.filter(request=row).values_list("note", flat=True))
    assert notes[0] == f"Created by {former}." and f"{former} and {NAME}s" in notes[1]
    given_up = FalRequest.objects.get(pk=other.pk)
    assert given_up.error.startswith(f"{former} gave up")
    scope = Scope(team.pk, "olga", sees=True)
    assert Matches(scope, parse_search(f'by:"{former}"')).newest(9) == [row.pk]
    # The trail tells who did what, and is sealed over it.
    assert AuditEntry.objects.filter(actor=NAME, act="login.erase", label=former).count() == 1
    sealing.seal(timezone.now())
    assert not [fault for chain in sealing.chains() for fault in sealing.verify(chain)]


def test_the_account_is_closed_and_its_name_is_free(team: Team, mia: User) -> None:
    mia.set_password("a long password 1")
    mia.save()
    former = erasing.erase(mia, by=mia)
    gone = User.objects.get(pk=mia.pk)
    assert not gone.is_active and not gone.has_usable_password()
    assert authenticate(None, username=NAME, password="a long password 1") is None
    assert not Account.objects.is_taken(NAME)
    assert Account.objects.is_taken(former)
    assert not Membership.objects.filter(user=mia).exists()


def test_the_only_owner_hands_over_first_and_nothing_is_half_deleted(
    team: Team, owner: User, mia: User
) -> None:
    assert erasing.hindrances(owner) == [team.name]
    with pytest.raises(TeamChangeRefused, match=f"only owner: {team.name}"):
        erasing.erase(owner, by=owner)
    second = Team.objects.create(name="Second")
    Membership.objects.create(team=second, user=mia, role=Role.OWNER)
    with pytest.raises(TeamChangeRefused, match="Second"):
        erasing.erase(mia, by=mia)
    assert Membership.objects.filter(user=mia).count() == 2
    assert EmailAddress.objects.filter(user=mia).exists() and mia.is_active
    # A team that is being removed needs no owner; a second owner is enough for the other.
    Team.objects.filter(pk=second.pk).update(deleting_at=timezone.now())
    Membership.objects.filter(user=mia, team=team).update(role=Role.OWNER)
    erasing.erase(owner, by=owner)
    with pytest.raises(TeamChangeRefused):
        erasing.erase(mia, by=mia)


def test_the_history_is_looked_through_in_pieces(
    team: Team, owner: User, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        make_request(team=team, person=mia, input={"n": number})
    erasing.erase(mia, by=mia)
    monkeypatch.setattr(erasing, "AT_ONCE", 2)
    assert erasing.erase_names()
    assert FormerName.objects.exists() and NAME in everything(AuditEntry, FormerName)
    erase_all()
    assert not FormerName.objects.exists() and NAME not in everything(AuditEntry)


def test_an_operator_reads_and_deletes_by_a_command(team: Team, owner: User, mia: User) -> None:
    out = StringIO()
    call_command("user_data", NAME, stdout=out)
    assert "mia@example.org" in out.getvalue()
    with pytest.raises(CommandError, match="no user"):
        call_command("user_data", "none")
    with pytest.raises(CommandError, match="only owner"):
        call_command("user_data", "olga", "--delete", "--yes")
    call_command("user_data", NAME, "--delete", "--yes", stdout=out)
    assert "former member #" in out.getvalue()
    assert AuditEntry.objects.get(act="login.erase").actor == ""


def test_pages_go_on_without_the_person(
    team: Team, owner: User, mia: User, as_owner: Client
) -> None:
    row = make_request(team=team, person=mia)
    former = erasing.erase(mia, by=mia)
    erase_all()
    for path in ("/requests/", f"/requests/{row.public_id}/", "/settings/", "/overview/"):
        page = as_owner.get(path)
        assert page.status_code == 200 and NAME not in page.text
    assert former in as_owner.get("/requests/").text
