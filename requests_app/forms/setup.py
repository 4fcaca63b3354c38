"""Forms for a new account: behind the set-up link and behind an invitation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from requests_app.models import Account, NameTaken, Team, fault_of

LONGEST_PASSWORD = 1024  # characters; hashing a longer one only costs time


class AccountForm(forms.Form):
    """A new account."""

    username = forms.CharField(
        label="Username",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="Password",
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        """Return a name that is valid for Django's user model."""
        name: str = User.normalize_username(self.cleaned_data["username"])
        User._meta.get_field("username").run_validators(name)
        if fault := fault_of(name):
            raise ValidationError(fault)
        return name

    @property
    def is_name_taken(self) -> bool:
        """Whether the errors reveal that the name is taken."""
        return self.has_error("username", code=NameTaken.CODE)

    def clean(self) -> dict[str, Any]:
        """Run the configured validators, which also compare the password with the user name."""
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        if password := fields.get("password"):
            self._check(password, fields.get("username", ""))
        # Last, so that a form that would create no account cannot be used to probe names.
        if not self.errors and Account.objects.is_taken(fields["username"]):
            self.add_error("username", NameTaken())
        return fields

    def _check(self, password: str, username: str) -> None:
        try:
            validate_password(password, User(username=username))
        except ValidationError as error:
            self.add_error("password", error)


class SetupForm(AccountForm):
    """The first team and its owner."""

    field_order = ["team_name", "username", "password"]
    team_name = forms.CharField(
        label="Team", max_length=80, help_text="All members of a team see all of its requests."
    )

    def clean_team_name(self) -> str:
        """Return a team name that is free."""
        name: str = self.cleaned_data["team_name"]
        if fault := fault_of(name):
            raise ValidationError(fault)
        if Team.objects.all().is_taken(name):
            raise ValidationError(
                "There is already a team with this name, or one that looks like it."
            )
        return name
