"""Log-in, password change, and the page of one's account."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.accounts import devices
from requests_app.accounts.adapter import TOO_MANY
from requests_app.forms.account import CountedPasswordForm, PasswordAgainForm, PlainLoginForm
from requests_app.models import has_factor
from requests_app.views.access import person_of
from requests_app.views.login import login_required


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
    """Show what an account has: address, password, second factors."""
    address = EmailAddress.objects.get_verified(request.user)
    context = {"address": address, "has_factor": has_factor(person_of(request).pk)}
    return render(request, "account/home.html", context)


class LoginView(Counted, views.LoginView):  # type: ignore[misc]
    """Ask for name or address, and password."""

    form_class = PlainLoginForm


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
