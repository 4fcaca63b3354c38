"""Sign-up by a link that is mailed to the new user, so that no answer tells which addresses have an account.

The link holds the address, signed; it works for some hours, until an account has verified the address.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.urls import reverse

from requests_app.accounts.finding import owner_of
from requests_app.accounts.trail import note_account
from requests_app.models import Account, AuditAct

LASTS_S = 4 * 3600
_SALT = "faldeck.sign-up"


class SignUpLinkDead(Exception):
    """The link has expired, was used, or is none of ours."""


def is_allowed(address: str) -> bool:
    """Whether addresses of this domain may sign up."""
    domain = address.rpartition("@")[2].lower()
    return not settings.SIGNUP_DOMAINS or domain in settings.SIGNUP_DOMAINS


def mail_sign_up_link(address: str, origin: str) -> None:
    """Send a link below this origin (`https://host`), or word that there is an account already."""
    owner = owner_of(address)
    if owner:
        context = {
            "username": owner.get_username(),
            "login_url": f"{origin}{reverse('account_login')}",
        }
        get_adapter().send_mail("account/email/account_already_exists", address, context)
        return
    path = reverse("account_signup_confirm", args=[signing.dumps(address, salt=_SALT)])
    get_adapter().send_mail("account/email/sign_up", address, {"sign_up_url": f"{origin}{path}"})


def address_in(link: str) -> str:
    """Return the address that a link was mailed to. Raises SignUpLinkDead."""
    try:
        address: str = signing.loads(link, salt=_SALT, max_age=LASTS_S)
    except signing.BadSignature:
        raise SignUpLinkDead from None
    if owner_of(address) or not is_allowed(address):
        raise SignUpLinkDead
    return address


def make_account(name: str, password: str, address: str) -> Account:
    """Create the account with its verified address. Raises NameTaken, SignUpLinkDead."""
    account = Account(username=name, email=address)
    account.set_password(password)
    try:
        with transaction.atomic():
            account.save()
            EmailAddress.objects.create(user=account, email=address, verified=True, primary=True)
            note_account(AuditAct.ACCOUNT_MADE, account, by=account, how="sign-up")
    except IntegrityError:  # the link's other form has verified the address at the same moment
        raise SignUpLinkDead from None
    return account
