"""What of the audit trail a page shows."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django import forms

from requests_app.audit.reading import KINDS, Wanted
from requests_app.models import Team


class AuditForm(forms.Form):
    """Filters; days are days in UTC, as in the list's search."""

    kind = forms.ChoiceField(required=False, choices=[("", "Everything"), *KINDS.items()])
    by = forms.CharField(required=False, max_length=150)
    on = forms.CharField(required=False, max_length=64)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def wanted(self) -> Wanted:
        """Return the filters; one that is not understood leaves nothing out, and the form says so."""
        typed = self.cleaned_data
        since, until = typed.get("since"), typed.get("until")
        return Wanted(
            typed.get("kind", ""),
            typed.get("by", "").strip(),
            typed.get("on", "").strip(),
            datetime.combine(since, time(), UTC) if since else None,
            datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None,
        )


def actors(team: Team) -> list[str]:
    """Return the names to offer: present members and service accounts."""
    names = team.memberships.values_list("user__username", flat=True)
    return sorted(names)
