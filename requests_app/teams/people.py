"""The people of one team, held still while somebody is let in, changed or removed.

A right to give is read and used under the same lock: an admin who is being removed cannot let somebody in
at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from requests_app.models import Membership, Role, Team

People = dict[int, Membership]  # by the user's key


class Refused(Exception):
    """Not done; the text is a sentence for the person who asked."""


@contextmanager
def locked_people(team_id: int) -> Iterator[People]:
    """The members as they are now; other writers of the team wait until the block has ended."""
    with transaction.atomic():
        # The team's row, not the members': it is there also for those who are about to come. PostgreSQL
        # lets requests be recorded meanwhile; SQLite has one writer anyhow.
        list(Team.objects.select_for_update(no_key=True).filter(pk=team_id))
        members = Membership.objects.filter(team_id=team_id).select_related("user")
        yield {one.user_id: one for one in members}


def may_give(giver: Membership | None, role: str) -> bool:
    """Owners and admins give roles; only an owner gives an owner's."""
    if giver is None or not giver.may_manage or not giver.user.is_active:
        return False
    return role != Role.OWNER or giver.role == Role.OWNER


def present_giver(people: People, by: Membership, role: str) -> Membership:
    """The giver as they are now. Raises Refused when they may not give this role any more."""
    giver = people.get(by.user_id)
    if giver is None or not giver.may_manage:
        raise Refused("Only owners and admins of the team may do that.")
    if not may_give(giver, role):
        raise Refused("Only an owner may make somebody an owner.")
    return giver
