"""Log in, change or reset the password, change the address: allauth's forms in our words."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import (
    AddEmailForm,
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from django.forms import BaseForm, CharField, Form, TextInput
from django.http import HttpRequest
from django.utils import timezone

from requests_app import announce
from requests_app.accounts import throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.throttle import Subject


class PlainLoginForm(LoginForm):  # type: ignore[misc]
    """Username or e-mail address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)
        self.fields["login"] = CharField(
            label="Username or e-mail",
            max_length=254,
            widget=TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        )
        self.order_fields(["login", "password"])


class AccountNameForm(Form):
    """Another name for an account."""

    username = CharField(
        label="Username",
        max_length=150,
        widget=TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )


class CountedPasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """allauth's form, throttled: a stolen session cannot try passwords for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)

    def clean_oldpassword(self) -> str:
        """Return the present password. Raises ValidationError."""
        try:
            guess = throttle.count([Subject("change", str(self.user.pk))], now=timezone.now())
        except throttle.TooManyGuesses as refused:
            raise too_many(refused.wait) from None
        password: str = super().clean_oldpassword()
        throttle.take_back(guess)
        return password


class PasswordAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The password by which a user proves again who they are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)

    def clean_password(self) -> str:
        """Return the password if it is right. Raises ValidationError."""
        try:
            guess = throttle.count([Subject("change", str(self.user.pk))], now=timezone.now())
        except throttle.TooManyGuesses as refused:
            raise too_many(refused.wait) from None
        password: str = super().clean_password()
        throttle.take_back(guess)
        return password


class ResetAskForm(ResetPasswordForm):  # type: ignore[misc]
    """Ask for a link to an address. Whether it is known is for the worker to find out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)
        self.fields["email"].label = "E-mail address"

    def clean_email(self) -> str:
        """Return the address as it is stored."""
        address: str = self.cleaned_data["email"].lower()
        return address

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Have the link mailed; an address that has got several lately gets no more, without a word."""
        address: str = self.cleaned_data["email"]
        try:
            throttle.count([Subject("reset", address)], now=timezone.now())
        except throttle.TooManyGuesses:
            return address
        announce.reset_asked(address, request.build_absolute_uri("/").rstrip("/"))
        return address


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)


class AddressForm(AddEmailForm):  # type: ignore[misc]
    """An e-mail address, which is verified before it is used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)
        self.fields["email"].label = "New address"


def make_plain(form: BaseForm) -> None:
    """Use sentence case for labels and drop the placeholders that repeat them."""
    for field in form.fields.values():
        field.label = str(field.label).capitalize()
        field.widget.attrs.pop("placeholder", None)
