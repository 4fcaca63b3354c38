"""allauth's hooks for accounts that come from the provider: who may come in, and with which roles."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from requests_app import audit
from requests_app.accounts.trail import note_account
from requests_app.models import AuditAct, NameTaken
from requests_app.sso.people import account_of, new_account, verified_address
from requests_app.teams import claims as team_claims

logger = logging.getLogger(__name__)

FAILED = "The log-in at {name} did not succeed. Try it again; if it happens again, ask your administrator."
UNKNOWN = "There is no account here for your log-in at {name}. Ask your administrator."


class NoAccount(Exception):
    """There is no account for a log-in, and none is made."""


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """No sign-up form: an account is found, linked or made before allauth would ask for one."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return False."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the account and set its roles. Raises ImmediateHttpResponse to refuse."""
        try:
            with transaction.atomic():
                is_made = not sociallogin.is_existing and self._find_or_make(request, sociallogin)
                user: User = sociallogin.user
                if user.is_active:  # allauth refuses the others afterwards
                    team_claims.set_roles(user, _groups(sociallogin.claims))
                if is_made:  # last: it stands in the trails of the account's teams
                    note_account(AuditAct.ACCOUNT_MADE, user, by=user, how="single sign-on")
        except NoAccount:
            audit.note(AuditAct.LOGIN_REFUSED, audit.Noted("account", "", settings.OIDC_NAME))
            raise ImmediateHttpResponse(refusal(request, UNKNOWN)) from None

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
        extra_context: Any = None,
    ) -> None:  # fmt: skip
        """Say it on the log-in page's own look. Raises ImmediateHttpResponse."""
        if error == AuthError.CANCELLED:
            messages.info(request, "The log-in was cancelled.")
            raise ImmediateHttpResponse(redirect("account_login"))
        logger.warning("A single sign-on failed: %s", exception or "its state is unknown or used.")
        audit.note(AuditAct.LOGIN_REFUSED, audit.Noted("account", "", settings.OIDC_NAME))
        raise ImmediateHttpResponse(refusal(request, FAILED))

    def _find_or_make(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whether an account was made."""
        address = verified_address(sociallogin.claims)
        owner = account_of(address)
        sociallogin.email_addresses = []
        if owner and settings.OIDC_LINKS:
            sociallogin.connect(request, owner)
            return False
        if not settings.OIDC_CREATES:
            raise NoAccount
        if address and owner is None:
            sociallogin.email_addresses = [EmailAddress(email=address, verified=True, primary=True)]
        try:
            self._make(request, sociallogin)
        except NameTaken:  # at the same moment
            self._make(request, sociallogin)
        return True

    def _make(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        sociallogin.user = new_account(sociallogin.claims)
        with transaction.atomic():
            sociallogin.save(request)
        sociallogin.user = User.objects.get(pk=sociallogin.user.pk)


def refusal(request: HttpRequest, words: str, status: int = 403) -> HttpResponse:
    """Return the page that says why the log-in did not succeed."""
    context = {"words": words.format(name=settings.OIDC_NAME)}
    return render(request, "account/sign_on_refused.html", context, status=status)


def _groups(claims: dict[str, Any]) -> frozenset[str]:
    """Return the values of the configured claim: a list of texts, or one."""
    said = claims.get(settings.OIDC_CLAIM, [])
    values = said if isinstance(said, list) else [said]
    return frozenset(value for value in values if isinstance(value, str))
