"""The e-mail address of an account: for logging in, resetting the password and notices of changes."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from requests_app.accounts import throttle
from requests_app.accounts.adapter import too_many
from requests_app.accounts.throttle import Subject
from requests_app.accounts.trail import note_account
from requests_app.forms.account import AddressForm
from requests_app.models import AuditAct
from requests_app.views.account import Counted

SENDS = ("action_add", "action_send")


class AddressView(Counted, views.EmailView):  # type: ignore[misc]
    """Show the address, and change it; the new one counts once it is verified."""

    form_class = AddressForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count what sends a mail."""
        response: HttpResponse
        if not settings.EMAIL_HOST:
            response = self.render_to_response(self.get_context_data())
            return response
        if any(one in request.POST for one in SENDS):
            try:
                throttle.count([Subject("verify", str(request.user.pk))], now=timezone.now())
            except throttle.TooManyGuesses as refused:
                form = self.get_form()
                form.add_error(None, too_many(refused.wait, what="Too many mails were sent."))
                response = self.form_invalid(form)
                return response
        response = super().post(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether mail can be sent at all."""
        return {**super().get_context_data(**kwargs), "has_mail": bool(settings.EMAIL_HOST)}


class ConfirmAddressView(views.ConfirmEmailView):  # type: ignore[misc]
    """Verify an address by the link that was mailed to it."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Verify it, and note the change."""
        response: HttpResponse = super().post(*args, **kwargs)
        address = self.object.email_address
        address.refresh_from_db()
        if address.verified:
            note_account(AuditAct.EMAIL_CHANGED, address.user, by=address.user)
        return response
