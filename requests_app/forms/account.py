"""Log in and change the password: allauth's forms in our words."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from django.forms import BaseForm
from django.utils import timezone

from requests_app.accounts import throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.throttle import Subject


class PlainLoginForm(LoginForm):  # type: ignore[misc]
    """Username and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _make_plain(self)


class CountedPasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """allauth's form, throttled: a stolen session cannot try passwords for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _make_plain(self)

    def clean_oldpassword(self) -> str:
        """Return the present password. Raises ValidationError."""
        try:
            guess = throttle.count([Subject("change", str(self.user.pk))], now=timezone.now())
        except throttle.TooManyGuesses as refused:
            raise too_many(refused.wait) from None
        password: str = super().clean_oldpassword()
        throttle.take_back(guess)
        return password


def _make_plain(form: BaseForm) -> None:
    """Use sentence case for labels and drop the placeholders that repeat them."""
    for field in form.fields.values():
        field.label = str(field.label).capitalize()
        field.widget.attrs.pop("placeholder", None)
