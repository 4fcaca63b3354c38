"""Links that set a new password: they work once, for some hours, and end with any log-in or change.

allauth makes and checks them. Here is what is not its own: the mail is sent by the worker, so that an
answer takes as long for an address that is known as for one that is not.
"""

from __future__ import annotations

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse

from requests_app.accounts.finding import owner_of
from requests_app.accounts.trail import note_account
from requests_app.models import AuditAct


def reset_path(user: AbstractBaseUser) -> str:
    """Return the path of a new link."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    kwargs = {"uidb36": user_pk_to_url_str(user), "key": key}
    return reverse("account_reset_password_from_key", kwargs=kwargs)


def mail_reset_link(address: str, origin: str) -> None:
    """Send a link to a verified address, below this origin (`https://host`); to others nothing is sent."""
    user = owner_of(address)
    # Without a password there is none to reset: such an account logs in elsewhere.
    if user is None or not user.is_active or not user.has_usable_password():
        return
    context = {"password_reset_url": f"{origin}{reset_path(user)}", "username": user.get_username()}
    get_adapter().send_mail("account/email/password_reset_key", address, context)
    note_account(AuditAct.RESET_MAILED, user)
