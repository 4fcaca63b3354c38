"""Our changes to allauth's log-in: no sign-up, throttled guesses, remembered browsers, audited acts."""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from requests_app import audit
from requests_app.accounts import devices, throttle
from requests_app.accounts.factors import ACTS
from requests_app.accounts.finding import find_account
from requests_app.accounts.network import network_of
from requests_app.accounts.throttle import Subject
from requests_app.accounts.trail import note_account
from requests_app.models import AuditAct, keys_of

logger = logging.getLogger(__name__)

ELSEWHERE = "A browser in which you have logged in before lets you in at once."
TOO_MANY = "too_many_guesses"  # the error's code; its parameter `seconds` is the wait


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Log-in and password change are allauth's; open sign-up is disabled."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "Wrong username or password.",
        "incorrect_password": "Wrong password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: accounts are created by the setup link, an invitation or an operator's
        command.
        """
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user with this name and password. Raises ValidationError after too many
        guesses.
        """
        name = str(credentials.get("username", ""))
        try:
            guess = throttle.count(_subjects(request, name), now=timezone.now())
        except throttle.TooManyGuesses as refused:
            audit.note_throttled(name)
            raise too_many(refused.wait, ELSEWHERE) from None
        user: User | None = super().authenticate(request, **credentials)
        if user:
            throttle.take_back(guess)
        else:
            note_account(AuditAct.LOGIN_REFUSED, find_account(name), name)
        return user

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Redirect, with the cookie that makes this browser known."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        devices.remember(request, response, user)
        # Who has just logged in need not prove again who they are.
        record_authentication(request, user, "login", reauthenticated=True)
        throttle.prune(now=timezone.now())
        note_account(AuditAct.LOGGED_IN, user, by=user)
        return response

    def logout(self, request: HttpRequest) -> None:
        """End the session."""
        user = request.user if request.user.is_authenticated else None
        super().logout(request)
        if user:
            note_account(AuditAct.LOGGED_OUT, user, by=user)

    def set_password(self, user: User, password: str) -> None:
        """Store a new password."""
        super().set_password(user, password)
        note_account(AuditAct.PASSWORD_CHANGED, user, by=user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return the account's page: the form that was just sent is done with."""
        return reverse("account_home")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the network by which allauth counts what has no secret to guess: passkeys asked for."""
        return network_of(request)

    def send_notification_mail(
        self, template_prefix: str, user: User, *args: Any, **kw: Any
    ) -> None:
        """Note a change of factors in the trail, and tell the account's owner of any change."""
        if template_prefix in ACTS:
            act, what = ACTS[template_prefix]
            note_account(act, user, by=user, what=what)
        super().send_notification_mail(template_prefix, user, *args, **kw)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail, once. A server that does not take it is logged and told to who waits for it."""
        mail = self.render_mail(template_prefix, email, {"email": email, **context})
        try:
            mail.send()
        except (smtplib.SMTPException, OSError) as error:
            # Without the traceback: its lines may hold the address or the link.
            logger.error("A mail of an account could not be sent: %s.", type(error).__name__)
            _tell_unsent()


def _tell_unsent() -> None:
    if context.request is not None and context.request.user.is_authenticated:
        messages.error(context.request, "The mail could not be sent. Try again later.")


def too_many(
    wait: timedelta, more: str = "", *, what: str = "Too many wrong passwords."
) -> ValidationError:
    """Build the form error for too many guesses."""
    words = f"{what} Try again in {throttle.in_words(wait)}. {more}".strip()
    return ValidationError(words, code=TOO_MANY, params={"seconds": int(wait.total_seconds()) + 1})


def _subjects(request: HttpRequest, name: str) -> list[Subject]:
    user = find_account(name)
    if user and (device := devices.known_device(request, user)):
        return [Subject("device", f"{device}:{user.pk}")]
    account = f"user {user.pk}" if user else f"name {min(keys_of(name))}"
    return [Subject("account", account), Subject("network", network_of(request))]
