"""Who belongs to a team, in which role, and with which tokens: the one writer of these rows.

Owners and admins manage people; only owners make, change or remove owners; a team keeps at least one owner.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction

from requests_app.models import ApiToken, Invitation, Membership, Role, Team, digest


class Refused(Exception):
    """Not done; the text is a sentence for the person who asked."""


class InvitationDead(Exception):
    """The invitation was used, withdrawn, or is too old; or it never was."""


def add(team: Team, username: str, role: str, *, by: Membership) -> Membership:
    """Let an existing user into the team. Raises Refused."""
    _check_may_give(by, role)
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Refused(f"There is no user “{username}”. An invitation link lets somebody new in.")
    return join(team, user, role)


def join(team: Team, user: AbstractBaseUser, role: str) -> Membership:
    """The membership of somebody who is let in. Raises Refused for a member."""
    made, is_new = Membership.objects.get_or_create(
        team=team, user_id=user.pk, defaults={"role": role}
    )
    if not is_new:
        raise Refused(f"{user.get_username()} is in the team already.")
    return made


def change_role(member: Membership, role: str, *, by: Membership) -> None:
    """Give a member another role. Raises Refused."""
    with transaction.atomic():
        present = _locked(member)
        _check_may_touch(by, present)
        _check_may_give(by, role)
        if role != Role.OWNER:
            _check_not_last_owner(present)
        Membership.objects.filter(pk=member.pk).update(role=role)


def remove(member: Membership, *, by: Membership) -> None:
    """Take a member out; tokens and sockets for this team die with it. Raises Refused."""
    with transaction.atomic():
        present = _locked(member)
        _check_may_touch(by, present)
        _check_not_last_owner(present)
        ApiToken.objects.filter(team=present.team, user=present.user).delete()
        present.delete()


def _locked(member: Membership) -> Membership:
    """The row as it is now. All of the team are locked: two owners must not remove each other."""
    rows = Membership.objects.select_for_update().filter(team_id=member.team_id)
    found = {row.pk: row for row in rows}.get(member.pk)
    if found is None:
        raise Refused("That member has left the team meanwhile.")
    return found


def _check_may_touch(by: Membership, member: Membership) -> None:
    if not by.may_manage or (member.role == Role.OWNER and by.role != Role.OWNER):
        raise Refused("Only an owner may change or remove an owner.")


def _check_may_give(by: Membership, role: str) -> None:
    if role == Role.OWNER and by.role != Role.OWNER:
        raise Refused("Only an owner may make somebody an owner.")


def _check_not_last_owner(member: Membership) -> None:
    others = Membership.objects.filter(team_id=member.team_id, role=Role.OWNER)
    if member.role == Role.OWNER and not others.exclude(pk=member.pk).exists():
        raise Refused("A team needs an owner: make somebody else one first.")


def invite(team: Team, role: str, *, by: Membership, now: datetime) -> str:
    """The secret of a link that lets one person in. Raises Refused."""
    _check_may_give(by, role)
    return Invitation.issue(team, role, by=by.user, now=now)


def invitation(secret: str, *, now: datetime) -> Invitation:
    """The invitation with this secret. Raises InvitationDead."""
    found = Invitation.objects.live(now).filter(digest=digest(secret)).select_related("team")
    if (first := found.first()) is None:
        raise InvitationDead
    return first


def accept(secret: str, user: AbstractBaseUser, *, now: datetime) -> Team:
    """Let this person in, who is stored if new. Raises InvitationDead, also for all but one of many at once, and Refused."""
    with transaction.atomic():
        found = invitation(secret, now=now)
        if not Invitation.objects.live(now).filter(pk=found.pk).update(used_at=now):
            raise InvitationDead
        if user.pk is None:
            user.save()
        join(found.team, user, found.role)
    return found.team


def withdraw(team: Team, pk: int, *, now: datetime) -> bool:
    """End an invitation nobody has used; False when there is none such in the team."""
    return bool(Invitation.objects.live(now).filter(team=team, pk=pk).delete()[0])


def revoke_token(member: Membership, pk: int, *, now: datetime) -> bool:
    """End one of a member's own tokens for the team; False when there is none such."""
    mine = ApiToken.objects.filter(team_id=member.team_id, user_id=member.user_id, revoked_at=None)
    return bool(mine.filter(pk=pk).update(revoked_at=now))
