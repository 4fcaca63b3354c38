"""Sessions of members: who may see and end them, and what the trail tells."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from requests_app.accounts.sessions import EVERY_ONE, open_sessions
from requests_app.models import AuditAct, AuditEntry, Membership, Role, Team
from requests_app.teams import sessions
from requests_app.teams.people import TeamChangeRefused
from tests.builders import make_person


def of(user: User, team: Team) -> Membership:
    return Membership.objects.get(user=user, team=team)


def log_in(user: User) -> None:
    Client().force_login(user)


def test_a_team_ends_its_members_sessions_and_its_own_trail_tells_it(
    team: Team, owner: User
) -> None:
    tom = make_person("tom", team=team)
    other = Team.objects.create(name="Other")
    Membership.objects.create(team=other, user=tom)
    log_in(tom), log_in(tom)
    first = sessions.of_member(of(tom, team), by=of(owner, team))[0]
    assert sessions.end(of(tom, team), first.id, by=of(owner, team)) == 1
    assert sessions.end(of(tom, team), first.id, by=of(owner, team)) == 0
    assert sessions.end(of(tom, team), EVERY_ONE, by=of(owner, team)) == 1
    assert open_sessions(tom) == []
    told = AuditEntry.objects.filter(act=AuditAct.SESSION_ENDED)
    assert {(one.chain, one.actor, one.label) for one in told} == {(team.pk, "olga", "tom")}
    assert told.count() == 2


def test_an_admin_touches_no_owners_sessions(team: Team, owner: User) -> None:
    admin = make_person("ada", team=team, role=Role.ADMIN)
    log_in(owner), log_in(admin)
    for act in (
        lambda: sessions.of_member(of(owner, team), by=of(admin, team)),
        lambda: sessions.end(of(owner, team), EVERY_ONE, by=of(admin, team)),
    ):
        with pytest.raises(TeamChangeRefused):
            act()
    assert sessions.of_member(of(admin, team), by=of(owner, team))
    assert open_sessions(owner)


def test_a_right_that_is_lost_meanwhile_ends_nothing(team: Team, owner: User) -> None:
    admin, tom = make_person("ada", team=team, role=Role.ADMIN), make_person("tom", team=team)
    log_in(tom)
    by, member = of(admin, team), of(tom, team)
    Membership.objects.filter(pk=by.pk).update(role=Role.MEMBER)
    with pytest.raises(TeamChangeRefused):
        sessions.end(member, EVERY_ONE, by=by)
    Membership.objects.filter(pk=member.pk).delete()
    with pytest.raises(TeamChangeRefused):
        sessions.end(member, EVERY_ONE, by=of(owner, team))
    assert open_sessions(tom)
