"""Lock the members of one team while one is added, changed or removed.

A right to give is checked and used under the same lock: an admin who is being removed cannot add a
member at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from requests_app.models import Membership, Right, Role, Team

People = dict[int, Membership]  # by the user's key


class TeamChangeRefused(Exception):
    """The action was refused; the text is a sentence for the user."""


@contextmanager
def locked_people(team_id: int) -> Iterator[People]:
    """Yield the current members; other writers of the team wait until the block has ended."""
    with transaction.atomic():
        # Lock the team's row, not the members': it exists also for members about to be added. On
        # PostgreSQL requests can be recorded meanwhile; SQLite has one writer anyhow.
        list(Team.objects.select_for_update(no_key=True).filter(pk=team_id))
        members = Membership.objects.filter(team_id=team_id).select_related("user")
        yield {one.user_id: one for one in members}


def may_give(giver: Membership | None, role: str) -> bool:
    """Whether the giver may give this role: owners and admins may, the owner role only owners."""
    if giver is None or not giver.may_manage or not giver.user.is_active:
        return False
    return role != Role.OWNER or giver.may(Right.OWN)


def present_giver(people: People, by: Membership, role: str) -> Membership:
    """Return the giver's current membership. Raises TeamChangeRefused when they may not give this role any
    more.
    """
    giver = people.get(by.user_id)
    if giver is None or not giver.may_manage:
        raise TeamChangeRefused("Only owners and admins of the team may do that.")
    if not may_give(giver, role):
        raise TeamChangeRefused("Only an owner may give the owner role.")
    return giver
