"""The form of a new API token."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django import forms

from requests_app.models import ApiToken, TokenScope
from requests_app.teams.tokens import NewToken

NEVER = "never"
DAYS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "1 year", NEVER: "Never"}
PERSONAL, SERVICE = "personal", "service"


class TokenForm(forms.Form):
    """A name, a scope, an expiry, and whose the token is."""

    name = forms.CharField(
        max_length=ApiToken._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(choices=TokenScope.choices, initial=TokenScope.SUBMIT)
    days = forms.ChoiceField(choices=list(DAYS.items()), initial="90")
    owner = forms.ChoiceField(
        choices=[(PERSONAL, "You"), (SERVICE, "The team (service token)")],
        initial=PERSONAL,
        required=False,
    )
    form_key = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)

    @classmethod
    def empty(cls) -> TokenForm:
        """Return a form that makes one token, however often it is sent."""
        return cls(initial={"form_key": uuid4().hex})

    def wanted(self, *, now: datetime) -> NewToken:
        """Return what a valid form asks for."""
        typed = self.cleaned_data
        expires_at = None if typed["days"] == NEVER else now + timedelta(days=int(typed["days"]))
        return NewToken(
            typed["name"], TokenScope(typed["scope"]), expires_at, typed["owner"] == SERVICE,
            typed["form_key"],
        )  # fmt: skip
