"""Clients that say which team they are for, as our pages and their scripts do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.test import Client

from requests_app.models import Membership
from requests_app.teams.choice import SESSION_KEY


def made_for(client: Client) -> int | None:
    """The team a page of this client would be for: the chosen one, or the only one."""
    if settings.SESSION_COOKIE_NAME not in client.cookies:
        return None  # to ask for the session would begin one
    session = client.session
    if SESSION_KEY in session or USER_KEY not in session:
        return session.get(SESSION_KEY)
    teams = list(
        Membership.objects.filter(user_id=session[USER_KEY]).values_list("team_id", flat=True)
    )
    return teams[0] if len(teams) == 1 else None


class Browser(Client):
    """Each request says what an open page of the present team would say."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        """Add the header, unless the test says something of its own."""
        headers = dict(kwargs.get("headers") or {})
        if "X-Made-For" not in headers and (team_id := made_for(self)):
            headers["X-Made-For"] = str(team_id)
        return super().generic(*args, **{**kwargs, "headers": headers})
