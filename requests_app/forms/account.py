"""Change the password: a guess at the present one is throttled like a log-in."""

from __future__ import annotations

from allauth.account.forms import ChangePasswordForm
from django.utils import timezone

from requests_app.accounts import throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.throttle import Subject


class CountedPasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """allauth's form, throttled: a stolen session cannot try passwords for ever."""

    def clean_oldpassword(self) -> str:
        """Return the present password. Raises ValidationError."""
        try:
            guess = throttle.count([Subject("change", str(self.user.pk))], now=timezone.now())
        except throttle.TooMany as refused:
            raise too_many(refused.wait) from None
        password: str = super().clean_oldpassword()
        throttle.take_back(guess)
        return password
