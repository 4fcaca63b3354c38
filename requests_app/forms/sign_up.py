"""The form that asks for a sign-up link."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from requests_app.accounts.sign_up import is_allowed


class SignUpForm(forms.Form):
    """An e-mail address."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def clean_email(self) -> str:
        """Return the address as it is stored. Raises ValidationError for another domain."""
        address: str = self.cleaned_data["email"].lower()
        if not is_allowed(address):
            domains = " or ".join(settings.SIGNUP_DOMAINS)
            raise ValidationError(f"Addresses of {domains} alone may sign up here.")
        return address
