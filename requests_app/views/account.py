"""Log-in and password change: the pages of allauth that are offered."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse

from requests_app.accounts import devices
from requests_app.accounts.adapter import TOO_MANY
from requests_app.forms.account import CountedPasswordForm, PlainLoginForm


class _Counted:
    """Answer 429 with Retry-After after too many wrong passwords."""

    def form_invalid(self, form: BaseForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        for error in (one for errors in form.errors.as_data().values() for one in errors):
            if error.code == TOO_MANY and error.params:
                response.status_code = 429
                response["Retry-After"] = str(error.params["seconds"])
        return response


class LoginView(_Counted, views.LoginView):  # type: ignore[misc]
    """Ask for name and password."""

    form_class = PlainLoginForm


class PasswordChangeView(_Counted, views.PasswordChangeView):  # type: ignore[misc]
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
