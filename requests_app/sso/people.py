"""Which account a log-in belongs to, and the name of a new one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from requests_app.accounts.finding import owner_of
from requests_app.models import Account, fault_of

MOST_TRIES = 9
NOT_IN_NAMES = re.compile(r"[^\w.@+-]")  # what Django's user names do not have


def verified_address(claims: Mapping[str, Any]) -> str:
    """Return the e-mail address that the provider has verified; empty without one."""
    address = claims.get("email")
    is_verified = claims.get("email_verified") is True  # a text "true" is no proof
    return address.strip().lower() if isinstance(address, str) and is_verified else ""


def account_of(address: str) -> User | None:
    """Return the account whose user has verified the same address here."""
    return owner_of(address) if address else None


def new_account(claims: Mapping[str, Any]) -> Account:
    """Return an unsaved account without a password, under a free name that looks like no other's."""
    account = Account(username=next(_free_names(claims)))
    account.set_unusable_password()
    return account


def _free_names(claims: Mapping[str, Any]) -> Iterator[str]:
    wishes = [name for name in _wishes(claims) if _is_allowed(name)]
    yield from (name for name in wishes if not Account.objects.is_taken(name))
    # A number behind a name of plain letters; a name that only looks like another's gets none.
    for name in (name for name in wishes if name.isascii()):
        numbered = (f"{name[:140]}-{number}" for number in range(2, 2 + MOST_TRIES))
        yield from (one for one in numbered if not Account.objects.is_taken(one))
    while True:
        yield f"user-{secrets.token_hex(4)}"


def _wishes(claims: Mapping[str, Any]) -> Iterator[str]:
    address = claims.get("email")
    for said in (
        claims.get("preferred_username"),
        address.partition("@")[0] if isinstance(address, str) else None,
        claims.get("name"),
    ):
        if isinstance(said, str):
            # A name that is an address would be taken for one at the log-in.
            name = NOT_IN_NAMES.sub(".", said.partition("@")[0].strip()).strip(".")
            yield User.normalize_username(name)[:150]


def _is_allowed(name: str) -> bool:
    try:
        User._meta.get_field("username").run_validators(name)
    except ValidationError:
        return False
    return bool(name) and fault_of(name) is None
