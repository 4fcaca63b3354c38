"""The forms of the settings page: a user name, a role."""

from __future__ import annotations

from django import forms

from requests_app.models import Role


class RoleForm(forms.Form):
    """Choose a role."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.MEMBER)


class AddForm(RoleForm):
    """Name an existing user."""

    field_order = ["username", "role"]
    username = forms.CharField(
        label="Username",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
