"""Check passwords; the account is found by any spelling of its name, or by its e-mail address."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from requests_app.accounts.finding import find_account
from requests_app.models.compiled import CompiledQuery

_BY_KEY: CompiledQuery[User] = CompiledQuery(lambda pk: User.objects.filter(pk=pk))


class NameBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which also reports accounts that are switched off."""

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session; Django's own builds the query for each page."""
        user = _BY_KEY.first(pk=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Return the user with this name or address and this password. Takes as long when there is none."""
        name, password = credentials.get("username"), credentials.get("password")
        if not name or not password:
            return None
        user = find_account(name)
        if user is None or not settings.PASSWORD_LOGIN:
            User().set_password(password)
            return None
        found: User | None = self._check_password(user, password)
        return found
