"""What the settings page asks for: a person, a role."""

from __future__ import annotations

from django import forms

from requests_app.models import Role


class RoleForm(forms.Form):
    """A role for somebody."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.MEMBER)


class AddForm(RoleForm):
    """An existing user by name."""

    field_order = ["username", "role"]
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
