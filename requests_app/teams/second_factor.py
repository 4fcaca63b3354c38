"""A team's choice to require two factors: while it is on, members without a second one are held back.

Their membership, role, tokens and what they have begun stay; their log-in opens nothing of the team.
"""

from __future__ import annotations

from collections.abc import Sequence

from requests_app import audit
from requests_app.models import AuditAct, Membership, Right, Team, factors_of, has_factor
from requests_app.teams.people import TeamChangeRefused, locked_people

YOURS_FIRST = (
    "Set up a second factor for your own account first: otherwise you would lock yourself out."
)


def require(*, is_on: bool, by: Membership) -> None:
    """Turn the requirement on or off. Raises TeamChangeRefused."""
    with locked_people(by.team_id) as people:
        owner = people.get(by.user_id)
        if owner is None or not owner.may(Right.OWN):
            raise TeamChangeRefused("Only an owner of the team may do that.")
        if is_on and not has_factor(by.user_id):
            raise TeamChangeRefused(YOURS_FIRST)
        before = Team.objects.values_list("requires_factors", flat=True).get(pk=by.team_id)
        if before == is_on:
            return
        Team.objects.filter(pk=by.team_id).update(requires_factors=is_on)
        on = audit.Noted("setting", "", "two factors required", {"before": before, "after": is_on})
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=by.team_id, by=by.user)


def closed_by_last_factor(mine: Sequence[Membership]) -> list[str]:
    """Return the names of one user's teams that the removal of their only second factor closes to them."""
    requiring = [one.team.name for one in mine if one.team.requires_factors]
    return requiring if requiring and factors_of(mine[0].user_id) == 1 else []


def without_factor(team: Team) -> list[str]:
    """Return the names of the active members who have no second factor."""
    people = Membership.objects.filter(team=team, is_service=False, user__is_active=True)
    names = people.without_factor().order_by("user__username")
    return list(names.values_list("user__username", flat=True))
