"""Log-in sessions of a team's members, for its owners and admins: an admin neither sees nor ends those of
an owner. A session is its user's in all teams, so that its end is too; the trail of this team alone tells it.
"""

from __future__ import annotations

from requests_app.accounts import sessions
from requests_app.models import Membership, Role
from requests_app.teams.people import TeamChangeRefused, locked_people, present_giver


def of_member(member: Membership, *, by: Membership) -> list[sessions.OpenSession]:
    """Return the member's open sessions. Raises TeamChangeRefused."""
    _check_may_see(member, by)
    return sessions.open_sessions(member.user)


def end(member: Membership, session_id: str, *, by: Membership) -> int:
    """End one of the member's sessions or all; return how many. Raises TeamChangeRefused."""
    with locked_people(member.team_id) as people:
        giver, present = present_giver(people, by, Role.VIEWER), people.get(member.user_id)
        if present is None:
            raise TeamChangeRefused("That member has left the team meanwhile.")
        _check_may_see(present, giver)
        return sessions.end(present.user, session_id, by=giver.user, team_ids=[giver.team_id])


def _check_may_see(member: Membership, by: Membership) -> None:
    if member.role == Role.OWNER and by.role != Role.OWNER:
        raise TeamChangeRefused("Only an owner may see or end the sessions of an owner.")
