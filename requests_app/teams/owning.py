"""A team as a whole: a further one is made, it is renamed, and it passes to another owner.

Owners of a team may make a further one: who owns a team spends money already, at fal's key of the
installation too, and a guest does not come to that right by making a team.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.models import AuditAct, Membership, Role, Team
from requests_app.teams.members import join, withdraw_what_is_beyond
from requests_app.teams.people import TeamChangeRefused, locked_people

MOST_OWNED = 50  # teams of one user
TAKEN = "There is already a team with this name, or one that looks like it."


def may_create(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the user may make a further team."""
    return _owned(user) > 0


def create(name: str, *, by: AbstractBaseUser) -> Team:
    """Make a team that the user owns. Raises TeamChangeRefused."""
    owned = _owned(by)
    if not owned:
        raise TeamChangeRefused("Only the owner of a team may create a further one.")
    if owned >= MOST_OWNED:
        raise TeamChangeRefused(f"You own {owned} teams already: leave or delete one first.")
    try:
        with transaction.atomic():
            _check_free(name)
            team = Team.objects.create(name=name)
            on = audit.Noted("team", str(team.pk), name)
            audit.note(AuditAct.TEAM_MADE, on, team_id=team.pk, by=by)
            join(team, by, Role.OWNER)
    except IntegrityError:  # made at the same moment
        raise TeamChangeRefused(TAKEN) from None
    return team


def rename(name: str, *, by: Membership) -> None:
    """Give the team another name; links and open pages go on. Raises TeamChangeRefused."""
    try:
        with locked_people(by.team_id) as people:
            _check_owner(people.get(by.user_id), "Only an owner may rename the team.")
            before = Team.objects.values_list("name", flat=True).get(pk=by.team_id)
            if before == name:
                return
            _check_free(name, besides=by.team_id)
            Team.objects.filter(pk=by.team_id).update(name=name)
            on = audit.Noted("team", str(by.team_id), name, {"before": before, "after": name})
            audit.note(AuditAct.TEAM_RENAMED, on, team_id=by.team_id, by=by.user)
    except IntegrityError:
        raise TeamChangeRefused(TAKEN) from None


def transfer(to: int, *, by: Membership) -> Membership:
    """Make the member with this key an owner, and the giver an admin, in one act. Raises TeamChangeRefused."""
    with locked_people(by.team_id) as people:
        giver = people.get(by.user_id)
        _check_owner(giver, "Only an owner may hand the team over.")
        heir = next((one for one in people.values() if one.pk == to and not one.is_service), None)
        if heir is None:
            raise TeamChangeRefused("That member has left the team meanwhile.")
        if heir.user_id == by.user_id:
            raise TeamChangeRefused("Choose another member: you are an owner already.")
        if not heir.user.is_active:
            raise TeamChangeRefused(f"The account of {heir.user.get_username()} is switched off.")
        told = {"before": by.user.get_username(), "after": heir.user.get_username()}
        on = audit.Noted("team", str(by.team_id), heir.user.get_username(), told)
        audit.note(AuditAct.TRANSFERRED, on, team_id=by.team_id, by=by.user)
        Membership.objects.filter(pk=heir.pk).update(role=Role.OWNER)
        Membership.objects.filter(team_id=by.team_id, user=by.user).update(role=Role.ADMIN)
        giver = Membership.objects.select_related("user").get(team_id=by.team_id, user=by.user)
        withdraw_what_is_beyond(giver)
    return heir


def _owned(user: AbstractBaseUser | AnonymousUser) -> int:
    mine = Membership.objects.filter(user_id=user.pk or 0, role=Role.OWNER, user__is_active=True)
    return mine.count()


def _check_owner(member: Membership | None, why: str) -> None:
    if member is None or member.role != Role.OWNER:
        raise TeamChangeRefused(why)


def _check_free(name: str, besides: int = 0) -> None:
    if Team.objects.exclude(pk=besides).is_taken(name):
        raise TeamChangeRefused(TAKEN)
