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
    teams = (
        Membership.objects.filter(user_id=user.pk).values_list("team_id", flat=True) if user else []
    )
    label = user.get_username() if user else name
    for team_id in teams or [audit.NO_TEAM]:
        audit.note(act, audit.Noted("account", "", label, details), team_id=team_id, by=by)
