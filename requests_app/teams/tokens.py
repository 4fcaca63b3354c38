"""API tokens of a team: a user's own ones, and service tokens, which belong to the team.

A personal token ends with its user's membership. A service token acts as a service account, a user
without a log-in, and stays when its maker leaves: owners and admins make and revoke it. They also
see and revoke the tokens of members, admins not those of owners.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError

from requests_app import audit
from requests_app.models import (
    Account,
    ApiToken,
    AuditAct,
    Membership,
    NameTaken,
    Role,
    Team,
    TokenScope,
)
from requests_app.models.token import ApiTokenQuerySet
from requests_app.teams.people import TeamChangeRefused, locked_people, present_giver

NO_FACTOR = "The team requires two factors: the token's user has to set up a second one first."
MOST = 100  # unrevoked, per user and team


class AlreadyMade(TeamChangeRefused):
    """The form made its token before; the text cannot be shown again."""

    def __init__(self) -> None:
        super().__init__("The token was made already, and is shown only once.")


@dataclass(frozen=True)
class NewToken:
    """What is wanted. `form_key`: of the form, so that it makes one token however often it is sent."""

    name: str
    scope: TokenScope
    expires_at: datetime | None = None
    is_service: bool = False
    form_key: str | None = None


def issue(member: Membership, new: NewToken) -> str:
    """Create a token and return its text, which cannot be shown again. Raises TeamChangeRefused."""
    with locked_people(member.team_id) as people:
        if member.user_id not in people:
            raise TeamChangeRefused("You have left the team meanwhile.")
        if not Membership.objects.open().filter(pk=people[member.user_id].pk).exists():
            raise TeamChangeRefused(NO_FACTOR)
        if new.form_key and ApiToken.objects.filter(form_key=new.form_key).exists():
            raise AlreadyMade
        user: AbstractBaseUser = member.user
        if new.is_service:
            giver = present_giver(people, member, Role.MEMBER)
            user = _service_account(member.team, giver, new.name)
        owned = ApiToken.objects.unrevoked().filter(team=member.team, user_id=user.pk)
        if owned.count() >= MOST:
            raise TeamChangeRefused(f"There are {MOST} such tokens: revoke one first.")
        _audit_made(member, new, user)
        return ApiToken.issue(
            user, member.team, name=new.name, scope=new.scope, expires_at=new.expires_at,
            is_service=new.is_service, made_by=member.user, form_key=new.form_key,
        )  # fmt: skip


def _audit_made(member: Membership, new: NewToken, user: AbstractBaseUser) -> None:
    told = {
        "of": user.get_username(), "scope": new.scope, "is_service": new.is_service,
        "expires_at": new.expires_at,
    }  # fmt: skip
    on = audit.Noted("token", "", new.name, told)
    audit.note(AuditAct.TOKEN_MADE, on, team_id=member.team_id, by=member.user)


def _service_account(team: Team, giver: Membership, name: str) -> User:
    """Return the team's service account of this name, made when there is none; it sees what its giver sees."""
    # With a sign that no user may choose, and the team's number: the name is free for each team.
    username = f"{name} #{team.pk}"
    known = Account.objects.find(username)
    theirs = team.memberships.filter(user=known, is_service=True).first() if known else None
    if known and theirs:
        if theirs.sees and not giver.sees:
            raise TeamChangeRefused("That service token's account sees inputs and outputs.")
        return known
    account = Account(username=username)
    account.set_unusable_password()
    try:
        account.save()
    except NameTaken:
        raise TeamChangeRefused("Another service token has a name that looks like this.") from None
    except ValidationError as error:
        raise TeamChangeRefused(" ".join(error.messages)) from None
    Membership.objects.create(
        team=team, user=account, role=Role.MEMBER, is_service=True, sees_payloads=giver.sees
    )
    return account


def own(member: Membership) -> ApiTokenQuerySet:
    """Return the member's personal tokens for the team, newest first."""
    return _of_team(member).filter(user_id=member.user_id)


def of_service(member: Membership) -> ApiTokenQuerySet:
    """Return the team's service tokens for who may manage, else none."""
    return _of_team(member).filter(is_service=True) if member.may_manage else _none()


def of_others(member: Membership) -> ApiTokenQuerySet:
    """Return the other members' personal tokens for who may manage, else none."""
    if not member.may_manage:
        return _none()
    return _of_team(member).filter(is_service=False).exclude(user_id=member.user_id)


def _of_team(member: Membership) -> ApiTokenQuerySet:
    rows = ApiToken.objects.unrevoked().filter(team_id=member.team_id)
    return rows.select_related("user", "made_by").order_by("-created_at")


def _none() -> ApiTokenQuerySet:
    return ApiToken.objects.none()


def revoke(member: Membership, pk: int, *, now: datetime) -> bool:
    """Revoke a token that the member sees; False when there is none. Raises TeamChangeRefused."""
    with locked_people(member.team_id) as people:
        present = people.get(member.user_id)
        if present is None:
            raise TeamChangeRefused("You have left the team meanwhile.")
        token = _of_team(present).filter(pk=pk).first()
        if token is None:
            return False
        if token.user_id != present.user_id:
            if not present.may_manage:
                return False
            theirs = people.get(token.user_id)
            if theirs and theirs.role == Role.OWNER and present.role != Role.OWNER:
                raise TeamChangeRefused("Only an owner may revoke an owner's token.")
        on = audit.Noted("token", str(pk), token.name, {"of": token.user.get_username()})
        audit.note(AuditAct.TOKEN_REVOKED, on, team_id=member.team_id, by=member.user)
        return bool(ApiToken.objects.unrevoked().filter(pk=pk).update(revoked_at=now))


def left_behind(member: Membership, *, now: datetime) -> int:
    """Return how many service tokens work that a former member made, and so may know."""
    rows = ApiToken.objects.live(now).filter(team_id=member.team_id, is_service=True)
    return rows.filter(made_by_id=member.user_id).count()
