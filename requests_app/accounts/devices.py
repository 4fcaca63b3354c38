"""Known browsers: a signed cookie tells with which accounts a browser has logged in before.

The cookie does not log anybody in. It keeps an attacker from using up the guesses of a browser
that has it. It is void once the account's password changes.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

LASTS_S = 400 * 24 * 3600  # the longest that browsers allow
MOST_ACCOUNTS = 8  # per browser: a cookie holds 4 KB
_SALT = "faldeck.device"


def cookie_name() -> str:
    """Return the cookie's name; `__Host-`: no other site under the same domain can set it."""
    return "__Host-faldeck-device" if settings.SESSION_COOKIE_SECURE else "faldeck-device"


def known_device(request: HttpRequest, user: User) -> str | None:
    """Return the browser's id if this user has logged in with it since the last password change."""
    device, accounts = _read(request)
    proof = accounts.get(str(user.pk), "")
    return device if constant_time_compare(proof, _proof(device, user)) else None


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Set the cookie, or add the user to the existing one."""
    device, accounts = _read(request)
    accounts.pop(str(user.pk), None)  # re-inserted at the end: the longest unused is dropped first
    accounts[str(user.pk)] = _proof(device, user)
    kept = dict(list(accounts.items())[-MOST_ACCOUNTS:])
    response.set_cookie(
        cookie_name(),
        signing.dumps([device, kept], salt=_SALT),
        max_age=LASTS_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, dict[str, str]]:
    try:
        found: Any = signing.loads(
            request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=LASTS_S
        )
    except signing.BadSignature:
        return secrets.token_urlsafe(16), {}
    return found[0], found[1]


def _proof(device: str, user: User) -> str:
    text = f"{device}:{user.pk}:{user.get_session_auth_hash()}"
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()[:32]
