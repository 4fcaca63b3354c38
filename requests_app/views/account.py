"""Log-in, password change, and the page of one's account."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views
from allauth.account.models import EmailAddress
from allauth.account.stages import LoginStage
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.accounts import devices
from requests_app.accounts.adapter import TOO_MANY
from requests_app.accounts.sessions import open_sessions
from requests_app.forms.account import CountedPasswordForm, PasswordAgainForm, PlainLoginForm
from requests_app.views.access import held_back, memberships
from requests_app.views.login import login_required

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class Counted:
    """Answer 429 with Retry-After after too many tries."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        for error in (one for errors in form.errors.as_data().values() for one in errors):
            if error.code == TOO_MANY and error.params:
                response.status_code = 429
                response["Retry-After"] = str(error.params["seconds"])
        return response


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what an account has and has chosen, with the way to each part."""
    user = cast(User, request.user)
    mine = [*memberships(request), *held_back(request)]
    context = {
        "address": EmailAddress.objects.get_verified(user),
        "factors": _factors_of(user),
        "requiring": [one.team.name for one in mine if one.team.requires_factors],
        "sessions": len(open_sessions(user)),
        "mine": sorted(mine, key=lambda one: one.team.name),
    }
    return render(request, "account/home.html", context)


def _factors_of(user: User) -> list[str]:
    """Name the user's second factors, and how many recovery codes are left of them."""
    found = {one.type: one for one in Authenticator.objects.filter(user=user)}
    keys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).count()
    codes = found.get(Authenticator.Type.RECOVERY_CODES)
    left = len(codes.wrap().get_unused_codes()) if codes else 0
    named = ["authenticator app"] if Authenticator.Type.TOTP in found else []
    named += [f"{keys} passkey{'' if keys == 1 else 's'}"] if keys else []
    return [*named, f"{left} recovery codes left"] if named else []


class LoginView(Counted, views.LoginView):  # type: ignore[misc]
    """Ask for name or address, and password."""

    form_class = PlainLoginForm

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: LoginStage) -> Any:
        """Lead a half-finished log-in on, or begin anew when the factor it waits for is no longer there.

        allauth's page of the factor would lead back here, and so on for ever.
        """
        if stage.key == AuthenticateStage.key and not is_mfa_enabled(stage.login.user, FACTORS):
            stage.abort()
            messages.info(request, "The second factor was removed meanwhile. Log in again.")
            return None
        return super()._redirect_to_pending_stage(request, stage)


class ReauthenticateView(Counted, views.ReauthenticateView):  # type: ignore[misc]
    """Ask a user for the password again; allauth's form tells how often it may be tried."""

    form_class = PasswordAgainForm


class PasswordChangeView(Counted, views.PasswordChangeView):  # type: ignore[misc]
    """Ask for the present password and a new one."""

    form_class = CountedPasswordForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse an account without a password: there is none to ask for."""
        if request.user.is_authenticated and not request.user.has_usable_password():
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Keep this browser known although the password has changed."""
        response: HttpResponse = super().form_valid(form)
        devices.remember(self.request, response, self.request.user)
        return response
