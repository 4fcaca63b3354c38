"""A new password for who has forgotten theirs: ask for a link, and use one."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from requests_app.accounts import throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.network import network_of
from requests_app.accounts.throttle import Subject
from requests_app.forms.account import NewPasswordForm, ResetAskForm
from requests_app.views.account import Counted


class ResetAskView(Counted, views.PasswordResetView):  # type: ignore[misc]
    """Ask for an address, and answer alike whether it is known or not."""

    form_class = ResetAskForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without a mail server say who makes a link."""
        if not settings.EMAIL_HOST:
            return render(request, "account/password_reset.html", {"form": None})
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: BaseForm) -> HttpResponse:
        """Count the question for its network."""
        subject = Subject("resets", network_of(self.request))
        try:
            throttle.count([subject], now=timezone.now())
        except throttle.TooManyGuesses as refused:
            form.add_error(None, too_many(refused.wait, what="Too many links were asked for."))
            return self.form_invalid(form)
        response: HttpResponse = super().form_valid(form)
        return response


class NewPasswordView(views.PasswordResetFromKeyView):  # type: ignore[misc]
    """Take the new password of who has a link."""

    form_class = NewPasswordForm
