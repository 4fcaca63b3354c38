"""A link by which a member sets a new password, made by an owner or admin where no mail reaches them.

Such a link is the account itself, so it is made only by who manages the member in every team of theirs.
"""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db.models import Exists, OuterRef

from requests_app.accounts.reset_links import reset_path
from requests_app.accounts.trail import note_account
from requests_app.models import AuditAct, Membership
from requests_app.teams.people import TeamChangeRefused, locked_people, may_give, present_giver

ELSEWHERE = (
    "You do not manage all that {name} has a part in: the operator of this installation can set a "
    "new password."
)


def make_reset_link(member: Membership, *, by: Membership) -> str:
    """Return the path of a new link. Raises TeamChangeRefused."""
    with locked_people(member.team_id) as people:
        present = people.get(member.user_id)
        if present is None or present.pk != member.pk:
            raise TeamChangeRefused("That member has left the team meanwhile.")
        giver = present_giver(people, by, present.role)
        _check(present, giver)
        note_account(AuditAct.RESET_LINK_MADE, present.user, by=by.user)
        return reset_path(present.user)


def _check(member: Membership, giver: Membership) -> None:
    user, name = member.user, member.user.get_username()
    if member.sees and not giver.sees:
        raise TeamChangeRefused(f"{name} sees inputs and outputs, which you may not.")
    if user.pk == giver.user_id:
        raise TeamChangeRefused("Your own password is changed under “Your account”.")
    if not user.is_active or not user.has_usable_password():
        raise TeamChangeRefused(f"{name} does not log in with a password.")
    if has_mail(user.pk):
        raise TeamChangeRefused(
            f"{name} gets a link by mail: “Forgot your password?” on the log-in page."
        )
    theirs = Membership.objects.filter(user=user).exclude(pk=member.pk)
    mine = {one.team_id: one for one in Membership.objects.filter(user_id=giver.user_id)}
    if (user.is_staff or user.is_superuser) and not giver.user.is_superuser:
        raise TeamChangeRefused(ELSEWHERE.format(name=name))
    if not all(_covers(mine.get(one.team_id), one) for one in theirs):
        raise TeamChangeRefused(ELSEWHERE.format(name=name))


def _covers(mine: Membership | None, theirs: Membership) -> bool:
    """Whether one may give all that the other has in the team."""
    return mine is not None and may_give(mine, theirs.role) and (mine.sees or not theirs.sees)


def has_mail(user_id: int) -> bool:
    """Whether a mail would reach the user."""
    return (
        bool(settings.EMAIL_HOST)
        and EmailAddress.objects.filter(user_id=user_id, verified=True).exists()
    )


def has_verified_address() -> Exists:
    """The same as a column of a member, whether or not there is a mail server."""
    return Exists(EmailAddress.objects.filter(user_id=OuterRef("user_id"), verified=True))
