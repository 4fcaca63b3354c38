"""Invitations into a team: a link for one person, or an offer to a user who has an account.

Joining always needs the invited user's consent. An invitation is valid as long as its maker may
give the role: it is withdrawn when that right ends, and the right is checked again on acceptance.
The answer never reveals whether a name has an account: an invitation to an unknown name looks the
same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q

from requests_app import audit
from requests_app.models import Account, AuditAct, Invitation, Membership, Team, digest, keys_of
from requests_app.models.compiled import CompiledQuery
from requests_app.models.team import InvitationQuerySet
from requests_app.teams.members import join
from requests_app.teams.people import TeamChangeRefused, locked_people, may_give, present_giver

MOST_OPEN = 100  # per team
MOST_REFUSED_NAMES = 5  # per link: each refusal reveals that a name is taken


class InvitationDead(Exception):
    """The invitation was used, withdrawn, has expired, or never existed.

    The text says which, for who has the link; it is empty for one that never existed.
    """


def invite(team: Team, role: str, *, by: Membership, now: datetime) -> str:
    """Create a link that lets one person join; return its secret. Raises TeamChangeRefused."""
    with locked_people(team.pk) as people:
        giver = present_giver(people, by, role)
        _check_not_full(team, now)
        on = audit.Noted("invitation", "", "a link", {"role": role})
        audit.note(AuditAct.INVITED, on, team_id=team.pk, by=giver.user)
        return Invitation.issue(team, role, by=giver.user, now=now)


def offer(team: Team, name: str, role: str, *, by: Membership, now: datetime) -> None:
    """Invite the user of this name, if there is one; otherwise it looks the same. Raises TeamChangeRefused."""
    with locked_people(team.pk) as people:
        giver = present_giver(people, by, role)
        user = Account.objects.find(name)
        user = user if user and user.is_active else None
        if user and user.pk in people:
            raise TeamChangeRefused(f"{user.get_username()} is in the team already.")
        if _is_invited(team, name, now):
            raise TeamChangeRefused(f"There is an open invitation for “{name}” already.")
        _check_not_full(team, now)
        on = audit.Noted("invitation", "", name, {"role": role})
        audit.note(AuditAct.INVITED, on, team_id=team.pk, by=giver.user)
        Invitation.offer(team, role, by=giver.user, now=now, to_name=name, to_user=user)


def _is_invited(team: Team, name: str, now: datetime) -> bool:
    keys = keys_of(name)
    offers = Invitation.objects.live(now).filter(team=team).exclude(to_name="")
    return any(keys & keys_of(other) for other in offers.values_list("to_name", flat=True))


def _check_not_full(team: Team, now: datetime) -> None:
    if Invitation.objects.live(now).filter(team=team).count() >= MOST_OPEN:
        raise TeamChangeRefused(f"There are {MOST_OPEN} open invitations: withdraw one first.")


def find(secret: str, *, now: datetime) -> Invitation:
    """Return the invitation with this secret. Raises InvitationDead."""
    with_secret = Invitation.objects.filter(digest=digest(secret))
    if known := with_secret.first():
        _check_live(known, now)
    return _standing(with_secret.live(now))


def _check_live(invitation: Invitation, now: datetime) -> None:
    if invitation.used_at:
        raise InvitationDead("This invitation was used already: it lets one person in, once.")
    if invitation.withdrawn_at:
        raise InvitationDead("This invitation was withdrawn.")
    if invitation.expires_at <= now:
        raise InvitationDead("This invitation has expired.")
    if not _stands(invitation):
        raise InvitationDead("Who made this invitation may no longer invite.")


def open_for(user: AbstractBaseUser, *, now: datetime) -> list[Invitation]:
    """Return the invitations this user may accept, newest first."""
    found = _offered_to(user.pk, now).select_related("team", "made_by")
    return [one for one in found if _stands(one)]


def number_open_for(user: AbstractBaseUser, *, now: datetime) -> int:
    """Return how many invitations this user may accept: one query for a user without any, as most are."""
    return sum(map(_stands, _OFFERED.all(user=user.pk, now=now)))


def _offered_to(user_pk: Any, now: Any) -> InvitationQuerySet:
    return Invitation.objects.live(now).filter(to_user_id=user_pk, declined_at=None)


_OFFERED: CompiledQuery[Invitation] = CompiledQuery(
    lambda user, now: _offered_to(user, now).only("team", "made_by", "role")
)


def _standing(rows: InvitationQuerySet) -> Invitation:
    found = rows.select_related("team", "made_by").first()
    if found is None or not _stands(found):
        raise InvitationDead
    return found


def _stands(invitation: Invitation) -> bool:
    maker = Membership.objects.filter(team=invitation.team_id, user=invitation.made_by_id)
    return may_give(maker.select_related("user").first(), invitation.role)


def accept(secret: str, user: AbstractBaseUser, *, now: datetime) -> Team:
    """Add this user, storing a new one.

    Raises InvitationDead (also for all but one of many at once), TeamChangeRefused for a member, and
    NameTaken.
    """
    return _accept(find(secret, now=now), user, now)


def accept_offer(pk: int, user: AbstractBaseUser, *, now: datetime) -> Team:
    """Accept an invitation made to this user. Raises InvitationDead, TeamChangeRefused."""
    theirs = Q(pk=pk, to_user_id=user.pk, declined_at=None)
    return _accept(_standing(Invitation.objects.live(now).filter(theirs)), user, now)


def _accept(found: Invitation, user: AbstractBaseUser, now: datetime) -> Team:
    with locked_people(found.team_id) as people:
        giver = people.get(found.made_by_id)
        if giver is None or not may_give(giver, found.role):
            raise InvitationDead
        still_open = Invitation.objects.live(now).filter(pk=found.pk, declined_at=None)
        if not still_open.update(used_at=now):
            raise InvitationDead
        if user.pk is None:
            user.save()
            on = audit.Noted("account", "", user.get_username(), {"how": "invitation"})
            audit.note(AuditAct.ACCOUNT_MADE, on, team_id=found.team_id, by=user)
        # Who does not see inputs and outputs lets no one in who does.
        join(found.team, user, found.role, sees_payloads=giver.sees)
    return found.team


def decline(pk: int, user: AbstractBaseUser, *, now: datetime) -> bool:
    """Decline an invitation; the team is not told. False when there is none."""
    theirs = Invitation.objects.live(now).filter(pk=pk, to_user_id=user.pk, declined_at=None)
    return bool(theirs.update(declined_at=now))


def withdraw(team: Team, pk: int, *, now: datetime) -> bool:
    """End an unused invitation; False when the team has no such one."""
    with transaction.atomic():
        found = Invitation.objects.live(now).filter(team=team, pk=pk).first()
        if found is None or not Invitation.objects.live(now).filter(pk=pk).withdraw(now):
            return False
        on = audit.Noted("invitation", str(pk), found.to_name or "a link", {"role": found.role})
        audit.note(AuditAct.WITHDRAWN, on, team_id=team.pk)
    return True


def note_refused_name(invitation: Invitation) -> None:
    """Count a refused name of a new account, because each refusal reveals something."""
    Invitation.objects.filter(pk=invitation.pk).update(refused_names=F("refused_names") + 1)


def takes_names(invitation: Invitation) -> bool:
    """Whether a new account may still try a name at this link."""
    return invitation.refused_names < MOST_REFUSED_NAMES
