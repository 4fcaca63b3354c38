"""Which account is meant by what a user types."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User

from requests_app.models import Account


def find_account(login: str) -> User | None:
    """Return the user with this verified e-mail address, or else with this name in any spelling.

    The address comes first: its owner has proved that it is theirs, and anyone may choose a name.
    """
    return owner_of(login) or Account.objects.find(login)


def owner_of(address: str) -> User | None:
    """Return the user who has verified this address; of one address there is one at most."""
    if "@" not in address:
        return None
    found = EmailAddress.objects.filter(email=address.strip().lower(), verified=True)
    row = found.select_related("user").first()
    return row.user if row else None
