"""The team's choice about the same request twice."""

from __future__ import annotations

from django.db import transaction

from requests_app import audit
from requests_app.models import AuditAct, Team


def set_minutes(team: Team, minutes: int | None) -> None:
    """Ask about the same input while it is open and for so many minutes after it ended; None: never."""
    with transaction.atomic():
        before = Team.objects.values_list("duplicate_minutes", flat=True).get(pk=team.pk)
        Team.objects.filter(pk=team.pk).update(duplicate_minutes=minutes)
        told = {"before": before, "after": minutes}
        on = audit.Noted("setting", "", "minutes in which the same input is asked about", told)
        audit.note(AuditAct.SETTING_CHANGED, on, team_id=team.pk)
