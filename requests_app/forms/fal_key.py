"""The forms of a team's fal keys. A key that was typed is never shown again."""

from __future__ import annotations

from django import forms

from requests_app.models import FalKey

_SECRET = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})


class SecretForm(forms.Form):
    """Another secret for a key that there is."""

    secret = forms.CharField(label="Key", max_length=500, widget=_SECRET)


class FalKeyForm(SecretForm):
    """A new key: its name, and the endpoints it is for."""

    field_order = ["key_name", "secret", "pattern"]
    key_name = forms.CharField(
        label="Name",
        max_length=FalKey._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    pattern = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._/-]*\*?$",
        label="Endpoints",
        required=False,
        max_length=300,
        error_messages={
            "invalid": "Write an endpoint id, or the beginning of ids with a * at the end."
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "all", "spellcheck": "false"}
        ),
    )
