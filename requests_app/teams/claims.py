"""What an identity provider says of a user's teams: set again at each log-in.

It decides for the teams that OIDC_TEAMS names, and for no others. The last owner of a team stays one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from requests_app.models import Role, Team
from requests_app.teams import members
from requests_app.teams.people import TeamChangeRefused

logger = logging.getLogger(__name__)

LADDER = (Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER)


def set_roles(user: AbstractBaseUser, groups: Collection[str]) -> None:
    """Give the user the highest role of their groups in each named team; none without a group."""
    named = {team for _, team, _ in settings.OIDC_TEAMS}
    teams = {team.name: team for team in Team.objects.filter(name__in=named)}
    for name in sorted(named - teams.keys()):
        logger.warning("OIDC_TEAMS names the team %r, which does not exist.", name)
    for name, team in sorted(teams.items()):
        roles = [Role(role) for group, of, role in settings.OIDC_TEAMS if of == name and group in groups]  # fmt: skip
        try:
            members.set_role(team, user, max(roles, key=LADDER.index, default=None))
        except TeamChangeRefused:
            logger.warning("The last owner of the team %r stays, whatever the claim says.", name)
