"""Codes of a second factor: allauth's forms, with guesses counted in the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import Form

from requests_app.accounts import factors, throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.trail import note_account
from requests_app.forms.account import make_plain
from requests_app.models import AuditAct

logger = logging.getLogger(__name__)
T = TypeVar("T")
TOO_MANY = "Too many wrong codes."


class CountedCodeForm(AuthenticateForm):  # type: ignore[misc]
    """The code of a log-in: of the app, or one that was kept for the loss of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _make_code_field(self, "Code of your app, or a recovery code")

    def clean_code(self) -> str:
        """Return the code if it is right. Raises ValidationError."""
        code = _counted(self.user, super().clean_code, refused=AuditAct.FACTOR_REFUSED)
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            note_account(AuditAct.CODE_USED, self.user, by=self.user)
        return code


class CountedAgainForm(ReauthenticateForm, CountedCodeForm):  # type: ignore[misc]
    """The code by which a user proves again who they are."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _make_code_field(self, "Code that the app shows")

    def clean_code(self) -> str:
        """Return the code if it is right. Raises ValidationError."""
        return _counted(self.user, super().clean_code)


def _make_code_field(form: Form, label: str) -> None:
    make_plain(form)
    form.fields["code"].label = label
    form.fields["code"].widget.attrs["inputmode"] = "numeric"


def _counted(user: User, read: Callable[[], str], *, refused: AuditAct | None = None) -> str:
    """Call what reads a code. A wrong one counts as a guess, and is noted as `refused`. Raises ValidationError."""
    try:
        guess = factors.count_guess(user)
    except throttle.TooManyGuesses as stopped:
        raise too_many(stopped.wait, what=TOO_MANY) from None
    try:
        code = read()
    except ValidationError:
        if refused is not None:
            note_account(refused, user)
        raise
    throttle.take_back(guess)
    return code


class PasskeyLoginForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey that logs in alone."""

    def clean_credential(self) -> Authenticator:
        """Return the passkey that signed. Raises ValidationError."""
        return _read(super().clean_credential)


class PasskeySecondForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second factor of a log-in."""

    def clean_credential(self) -> Authenticator:
        """Return the passkey that signed. Raises ValidationError."""
        return _read(super().clean_credential)


class PasskeyAgainForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey by which a user proves again who they are."""

    def clean_credential(self) -> Authenticator:
        """Return the passkey that signed. Raises ValidationError."""
        return _read(super().clean_credential)


def _read(read: Callable[[], T]) -> T:
    """Call what reads a credential: allauth and fido2 trip over most that is none."""
    try:
        return read()
    except ValidationError:
        raise
    except Exception as error:
        logger.info("What came is no passkey: %s.", type(error).__name__)
        raise ValidationError("That is no passkey.") from None


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey's name, and whether it logs in alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        make_plain(self)
        self.fields["name"].label = "Name"
        if "passwordless" in self.fields:
            field = self.fields["passwordless"]
            field.label, field.initial = "Log in with it alone, without a password", True
            field.help_text = ""

    def clean(self) -> dict[str, Any]:
        """Check what the browser made. Raises ValidationError."""
        return _read(super().clean)
