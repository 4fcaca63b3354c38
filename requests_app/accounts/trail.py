"""Audit entries about an account: in the trail of each of its teams."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from requests_app import audit
from requests_app.models import AuditAct, Membership


def note_account(
    act: AuditAct,
    user: AbstractBaseUser | None,
    name: str = "",
    *,
    by: AbstractBaseUser | None = None,
    **details: Any,
) -> None:
    """Note it for each team of the user; for a name without an account, in the installation's own
    trail.
    """
    # Asked for a name without an account too, and stored by one statement: as many as with an account, whose time
    # would tell that there is one.
    mine = Membership.objects.filter(user_id=user.pk if user else 0)
    team_ids = list(mine.values_list("team_id", flat=True)) or [audit.NO_TEAM]
    label = user.get_username() if user else name
    audit.note_in_each(act, audit.Noted("account", "", label, details), team_ids, by=by)
