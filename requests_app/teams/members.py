"""The members of a team and their roles.

Owners and admins manage members; only owners add, change or remove owners; a team keeps at least
one owner. What a member has given ends with their right to give it.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone

from requests_app import audit
from requests_app.models import ApiToken, AuditAct, Invitation, Membership, Right, Role, Team
from requests_app.teams.people import (
    People,
    TeamChangeRefused,
    locked_people,
    may_give,
    present_giver,
)


def join(
    team: Team, user: AbstractBaseUser, role: str, *, sees_payloads: bool = True
) -> Membership:
    """Add the user. Raises TeamChangeRefused for a member."""
    made, is_new = Membership.objects.get_or_create(
        team=team, user_id=user.pk, defaults={"role": role, "sees_payloads": sees_payloads}
    )
    if not is_new:
        raise TeamChangeRefused(f"{user.get_username()} is in the team already.")
    on = audit.Noted("member", str(made.pk), user.get_username(), {"role": role})
    audit.note(AuditAct.JOINED, on, team_id=team.pk, by=user)
    return made


def change_role(member: Membership, role: str, *, by: Membership) -> None:
    """Give a member another role, and withdraw what they may no longer give. Raises TeamChangeRefused."""
    with locked_people(member.team_id) as people:
        present = _present(people, member)
        giver = present_giver(people, by, role)
        _check_may_touch(giver, present)
        if role != Role.OWNER:
            _check_not_last_owner(people, present)
        told = {"before": present.role, "after": role}
        on = audit.Noted("member", str(present.pk), present.user.get_username(), told)
        audit.note(AuditAct.ROLE_CHANGED, on, team_id=present.team_id, by=by.user)
        Membership.objects.filter(pk=present.pk).update(role=role)
        present.role = role
        withdraw_what_is_beyond(present)


def set_role(team: Team, user: AbstractBaseUser, role: Role | None) -> None:
    """Set what an identity provider says: a role, or None for no member. Raises TeamChangeRefused for the last
    owner.
    """
    with locked_people(team.pk) as people:
        present = people.get(user.pk)
        if present is None:
            if role:
                join(team, user, role)
            return
        if present.role == role or present.is_service:
            return
        _check_not_last_owner(people, present)
        told = {"before": present.role, "by": "single sign-on", **({"after": role} if role else {})}
        on = audit.Noted("member", str(present.pk), user.get_username(), told)
        audit.note(AuditAct.ROLE_CHANGED if role else AuditAct.REMOVED, on, team_id=team.pk)
        if role is None:
            _end(people, present)
            present.delete()
            return
        Membership.objects.filter(pk=present.pk).update(role=role)
        present.role = role
        withdraw_what_is_beyond(present)


def set_sight(member: Membership, *, sees_payloads: bool, by: Membership) -> None:
    """Choose whether a member sees inputs and outputs. Raises TeamChangeRefused.

    Who does not see them gives the right to no one, themselves included. Owners see them in any case.
    """
    with locked_people(member.team_id) as people:
        present = _present(people, member)
        giver = present_giver(people, by, Role.VIEWER)
        _check_may_touch(giver, present)
        if sees_payloads and not giver.sees:
            raise TeamChangeRefused("Only a member who sees inputs and outputs may give the right.")
        if present.role == Role.OWNER and not sees_payloads:
            raise TeamChangeRefused("An owner always sees inputs and outputs.")
        if present.sees_payloads == sees_payloads:
            return
        told = {"before": present.sees_payloads, "after": sees_payloads}
        on = audit.Noted("member", str(present.pk), present.user.get_username(), told)
        audit.note(AuditAct.SIGHT_CHANGED, on, team_id=present.team_id, by=by.user)
        Membership.objects.filter(pk=present.pk).update(sees_payloads=sees_payloads)


def remove(member: Membership, *, by: Membership) -> int:
    """Remove a member, with their tokens, invitations and sockets. Raises TeamChangeRefused.

    Return how many invitation links of others still work: the member may know one.
    """
    with locked_people(member.team_id) as people:
        present = _present(people, member)
        _check_may_touch(present_giver(people, by, Role.VIEWER), present)
        _check_not_last_owner(people, present)
        links = _end(people, present)
        name = present.user.get_username()
        on = audit.Noted("member", str(present.pk), name, {"before": present.role})
        audit.note(AuditAct.REMOVED, on, team_id=present.team_id, by=by.user)
        present.delete()
        return links


def leave(mine: Membership) -> None:
    """End the user's own membership, with tokens, invitations and sockets. Raises TeamChangeRefused."""
    with locked_people(mine.team_id) as people:
        present = people.get(mine.user_id)
        if present is None:
            return
        _end(people, present)
        told = {"before": present.role}
        on = audit.Noted("member", str(present.pk), present.user.get_username(), told)
        audit.note(AuditAct.LEFT, on, team_id=present.team_id, by=present.user)
        present.delete()


def _end(people: People, member: Membership) -> int:
    """Take back what the member has; return how many invitation links of others still work."""
    _check_not_last_owner(people, member)
    now = timezone.now()
    unused = Invitation.objects.live(now).filter(team_id=member.team_id)
    unused.filter(Q(made_by=member.user) | Q(to_user=member.user)).withdraw(now)
    ApiToken.objects.filter(team_id=member.team_id, user=member.user).delete()
    return unused.filter(to_name="").count()


def withdraw_what_is_beyond(member: Membership) -> None:
    """End the invitations that the member may no longer give, under the team's lock."""
    beyond = [role for role in Role if not may_give(member, role)]
    now = timezone.now()
    unused = Invitation.objects.live(now).filter(team_id=member.team_id, made_by=member.user)
    unused.filter(role__in=beyond).withdraw(now)


def _present(people: People, member: Membership) -> Membership:
    found = people.get(member.user_id)
    if found is None or found.pk != member.pk:
        raise TeamChangeRefused("That member has left the team meanwhile.")
    return found


def _check_may_touch(giver: Membership, member: Membership) -> None:
    if member.role == Role.OWNER and not giver.may(Right.OWN):
        raise TeamChangeRefused("Only an owner may change or remove an owner.")


def _check_not_last_owner(people: People, member: Membership) -> None:
    others = [one for one in people.values() if one.role == Role.OWNER and one.pk != member.pk]
    # An account that is switched off cannot log in: the team would be without an owner.
    if member.role == Role.OWNER and not any(one.user.is_active for one in others):
        raise TeamChangeRefused("A team needs an owner: make another member an owner first.")
