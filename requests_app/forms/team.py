"""The forms of the team's page: its name, and who gets it."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from requests_app.models import fault_of

MOST_KEY = 2**63 - 1


class TeamNameForm(forms.Form):
    """A team's name; whether it is free is told when it is taken."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="All members of a team see all of its requests.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        """Return a name that looks like what it is."""
        name: str = self.cleaned_data["name"]
        if fault := fault_of(name):
            raise ValidationError(fault)
        return name


class HeirForm(forms.Form):
    """The member who becomes the owner."""

    member = forms.IntegerField(min_value=1, max_value=MOST_KEY)
