"""Ways into a team: what an invitation is worth, how often, for how long, and what it tells."""

# ruff: noqa: RUF001 - letters that look alike are the subject

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app.models import Invitation, Membership, Role, Team
from requests_app.teams import invitations, members
from requests_app.teams.invitations import MOST_OPEN, InvitationDead
from requests_app.teams.people import TeamChangeRefused
from tests.builders import make_person
from tests.teams.races import Meanwhile


@pytest.fixture
def mine(owner: User, team: Team) -> Membership:
    return team.memberships.get(user=owner)


def member(team: Team, name: str, role: str) -> Membership:
    return team.memberships.get(user=make_person(name, team=team, role=role))


def offered(team: Team, name: str, *, by: Membership, role: str = Role.MEMBER) -> int:
    invitations.offer(team, name, role, by=by, now=timezone.now())
    return Invitation.objects.latest("pk").pk


# --- links ----------------------------------------------------------------------------------------


def test_an_invitation_lets_one_person_in_once(team, mine):
    secret = invitations.invite(team, Role.VIEWER, by=mine, now=timezone.now())
    assert secret not in str(list(Invitation.objects.values()))
    assert invitations.accept(secret, make_person("ann"), now=timezone.now()) == team
    assert team.memberships.get(user__username="ann").role == Role.VIEWER
    with pytest.raises(InvitationDead):
        invitations.accept(secret, make_person("bob"), now=timezone.now())


def test_an_invitation_is_not_used_up_by_a_member(team, mine, teammate):
    secret = invitations.invite(team, Role.VIEWER, by=mine, now=timezone.now())
    with pytest.raises(TeamChangeRefused, match="already"):
        invitations.accept(secret, teammate, now=timezone.now())
    assert invitations.find(secret, now=timezone.now()).team == team


def test_an_invitation_ends_after_its_week_or_when_withdrawn(team, mine, stranger):
    now = timezone.now()
    old = invitations.invite(team, Role.MEMBER, by=mine, now=now - timedelta(days=7, seconds=1))
    secret = invitations.invite(team, Role.MEMBER, by=mine, now=now)
    pk = invitations.find(secret, now=now).pk
    other = Team.objects.exclude(pk=team.pk).get()
    assert not invitations.withdraw(other, pk, now=now)
    assert invitations.withdraw(team, pk, now=now)
    for dead in (old, secret, "never"):
        with pytest.raises(InvitationDead):
            invitations.find(dead, now=now)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_let_in():
    team = Team.objects.create(name="Race")
    mine = member(team, "owner", Role.OWNER)
    secret = invitations.invite(team, Role.MEMBER, by=mine, now=timezone.now())
    people = [make_person(f"p{n}") for n in range(4)]
    answers: list[str] = []

    def come(person: User) -> None:
        try:
            invitations.accept(secret, person, now=timezone.now())
            answers.append("in")
        except InvitationDead:
            answers.append("dead")
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["dead", "dead", "dead", "in"]
    assert team.memberships.count() == 2


# --- the maker's right ----------------------------------------------------------------------------

LOST = {
    "removed past `remove`": lambda it: it.delete(),
    "downgraded past `change_role`": lambda it: Membership.objects.filter(pk=it.pk).update(role=Role.MEMBER),
    "a viewer": lambda it: Membership.objects.filter(pk=it.pk).update(role=Role.VIEWER),
    "switched off": lambda it: User.objects.filter(pk=it.user_id).update(is_active=False),
}  # fmt: skip


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
@pytest.mark.parametrize("how", LOST)
def test_an_invitation_is_worth_nothing_without_its_makers_right(team, mine, how, role):
    admin, guest, now = member(team, "admin", Role.ADMIN), make_person("guest"), timezone.now()
    secret = invitations.invite(team, role, by=admin, now=now)
    pk = offered(team, "guest", by=admin, role=role)
    assert [one.pk for one in invitations.open_for(guest, now=now)] == [pk]
    assert invitations.number_open_for(guest, now=now) == 1
    LOST[how](admin)
    assert invitations.open_for(guest, now=now) == []
    assert invitations.number_open_for(guest, now=now) == 0
    for attempt in (
        lambda: invitations.find(secret, now=now),
        lambda: invitations.accept(secret, guest, now=now),
        lambda: invitations.accept_offer(pk, guest, now=now),
    ):
        with pytest.raises(InvitationDead):
            attempt()
    assert not team.memberships.filter(user=guest).exists()


def test_an_owners_invitation_is_dead_when_its_maker_is_an_admin_now(team, mine):
    second, now = member(team, "second", Role.OWNER), timezone.now()
    owners = invitations.invite(team, Role.OWNER, by=second, now=now)
    admins = invitations.invite(team, Role.ADMIN, by=second, now=now)
    Membership.objects.filter(pk=second.pk).update(role=Role.ADMIN)
    with pytest.raises(InvitationDead):
        invitations.accept(owners, make_person("ann"), now=now)
    assert invitations.accept(admins, make_person("bob"), now=now) == team


def test_a_removed_admin_does_not_come_back_by_an_own_invitation(team, mine):
    admin, now = member(team, "admin", Role.ADMIN), timezone.now()
    secret = invitations.invite(team, Role.ADMIN, by=admin, now=now)
    members.remove(admin, by=mine)
    with pytest.raises(InvitationDead):
        invitations.accept(secret, admin.user, now=now)
    # Back as a member, the old link must not come to life either.
    members.join(team, admin.user, Role.ADMIN)
    with pytest.raises(InvitationDead):
        invitations.accept(secret, make_person("guest"), now=now)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER, Role.ADMIN])
@pytest.mark.parametrize("given", [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER])
def test_only_who_manages_gives_and_only_an_owner_gives_an_owners_role(team, mine, role, given):
    giver = member(team, "giver", role)
    may = role == Role.ADMIN and given != Role.OWNER
    for attempt in (
        lambda: invitations.invite(team, given, by=giver, now=timezone.now()),
        lambda: invitations.offer(team, "guest", given, by=giver, now=timezone.now()),
    ):
        if may:
            attempt()
        else:
            with pytest.raises(TeamChangeRefused):
                attempt()
    assert Invitation.objects.count() == (2 if may else 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["removed", "downgraded"])
def test_of_a_removal_and_an_acceptance_at_once_the_first_counts(how, monkeypatch):
    team = Team.objects.create(name="Race")
    mine, admin = member(team, "owner", Role.OWNER), member(team, "admin", Role.ADMIN)
    secret, guest = (
        invitations.invite(team, Role.ADMIN, by=admin, now=timezone.now()),
        make_person("guest"),
    )
    meanwhile = Meanwhile(lambda: invitations.accept(secret, guest, now=timezone.now()))
    if how == "removed":
        meanwhile.starts_in(monkeypatch, members, "_check_not_last_owner")
        members.remove(admin, by=mine)
    else:
        meanwhile.starts_in(monkeypatch, members, "_check_may_touch")
        members.change_role(admin, Role.VIEWER, by=mine)
    assert isinstance(meanwhile.outcome(), InvitationDead)
    assert not team.memberships.filter(user=guest).exists()


@pytest.mark.django_db(transaction=True)
def test_of_an_acceptance_and_a_removal_at_once_the_first_counts(monkeypatch):
    team = Team.objects.create(name="Race")
    mine, admin = member(team, "owner", Role.OWNER), member(team, "admin", Role.ADMIN)
    secret = invitations.invite(team, Role.ADMIN, by=admin, now=timezone.now())
    meanwhile = Meanwhile(lambda: members.remove(admin, by=mine))
    meanwhile.starts_in(monkeypatch, invitations, "join")
    invitations.accept(secret, make_person("guest"), now=timezone.now())
    assert meanwhile.outcome() == 0
    assert set(team.memberships.values_list("user__username", flat=True)) == {"owner", "guest"}


# --- offers to users --------------------------------------------------------------------------------


def test_nobody_is_in_a_team_before_they_accept(team, mine):
    ann, now = make_person("ann"), timezone.now()
    pk = offered(team, "ann", by=mine, role=Role.VIEWER)
    assert not team.memberships.filter(user=ann).exists()
    assert invitations.accept_offer(pk, ann, now=now) == team
    assert team.memberships.get(user=ann).role == Role.VIEWER
    with pytest.raises(InvitationDead):
        invitations.accept_offer(pk, ann, now=now)


def test_an_offer_is_for_its_person_alone_and_ends(team, mine):
    ann, bob, now = make_person("ann"), make_person("bob"), timezone.now()
    pk = offered(team, "ann", by=mine)
    later = now + timedelta(days=7, seconds=1)
    for person, at in ((bob, now), (ann, later), (mine.user, now)):
        with pytest.raises(InvitationDead):
            invitations.accept_offer(pk, person, now=at)
        assert not invitations.decline(pk, person, now=at)
    assert invitations.open_for(bob, now=now) == [] == invitations.open_for(ann, now=later)


@pytest.mark.parametrize("name", ["ann", "nobody", "gone", "  ", "ann\u200b", "x" * 150])
def test_an_offer_to_a_name_without_an_account_looks_the_same(team, mine, name):
    make_person("ann")
    User.objects.create_user("gone", is_active=False)
    invitations.offer(team, name, Role.VIEWER, by=mine, now=timezone.now())
    with pytest.raises(TeamChangeRefused, match="open invitation"):
        invitations.offer(team, name, Role.VIEWER, by=mine, now=timezone.now())
    shown = Invitation.objects.live(timezone.now()).get()
    assert (shown.to_name, shown.role) == (name, Role.VIEWER)


@pytest.mark.parametrize(
    ("first", "second"),
    [("ann", "ANN"), ("Ren\u00e9", "RENE\u0301"), ("АННА", "анна"), ("paypal", "раураӏ"), ("ＡＮＮ", "ann"),
     ("straße", "STRASSE"), ("ann", "a\u200bnn")],
)  # fmt: skip
def test_an_open_invitation_is_known_by_any_spelling_of_its_name(team, mine, first, second):
    invitations.offer(team, first, Role.VIEWER, by=mine, now=timezone.now())
    with pytest.raises(TeamChangeRefused, match="open invitation"):
        invitations.offer(team, second, Role.VIEWER, by=mine, now=timezone.now())
    invitations.offer(team, "another", Role.VIEWER, by=mine, now=timezone.now())


def test_an_offer_to_a_free_name_is_not_had_by_who_takes_the_name_later(team, mine):
    pk = offered(team, "later", by=mine, role=Role.ADMIN)
    later, now = make_person("later"), timezone.now()
    assert invitations.open_for(later, now=now) == []
    assert invitations.number_open_for(later, now=now) == 0
    with pytest.raises(InvitationDead):
        invitations.accept_offer(pk, later, now=now)


def test_the_team_does_not_learn_that_an_offer_was_declined(team, mine):
    ann, now = make_person("ann"), timezone.now()
    pk = offered(team, "ann", by=mine)
    assert invitations.decline(pk, ann, now=now)
    assert not invitations.decline(pk, ann, now=now)
    assert invitations.open_for(ann, now=now) == []
    assert invitations.number_open_for(ann, now=now) == 0
    with pytest.raises(InvitationDead):
        invitations.accept_offer(pk, ann, now=now)
    assert Invitation.objects.live(now).filter(pk=pk).exists()
    with pytest.raises(TeamChangeRefused, match="open invitation"):
        invitations.offer(team, "ann", Role.MEMBER, by=mine, now=now)


def test_a_member_is_not_offered_what_they_have(team, mine, teammate):
    with pytest.raises(TeamChangeRefused, match="already"):
        invitations.offer(team, teammate.username, Role.ADMIN, by=mine, now=timezone.now())


def test_open_invitations_of_a_team_are_bounded(team, mine):
    for number in range(MOST_OPEN):
        invitations.offer(team, f"n{number}", Role.VIEWER, by=mine, now=timezone.now())
    for attempt in (
        lambda: invitations.offer(team, "one more", Role.VIEWER, by=mine, now=timezone.now()),
        lambda: invitations.invite(team, Role.VIEWER, by=mine, now=timezone.now()),
    ):
        with pytest.raises(TeamChangeRefused, match="withdraw one"):
            attempt()


def test_an_offer_can_be_withdrawn(team, mine):
    ann, now = make_person("ann"), timezone.now()
    pk = offered(team, "ann", by=mine)
    assert invitations.withdraw(team, pk, now=now)
    with pytest.raises(InvitationDead):
        invitations.accept_offer(pk, ann, now=now)
