"""Authentication: a Bearer token acts for its user in its team.

A session cookie never authenticates here, so that another site's page cannot act through a
browser.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from requests_app.models import ApiToken, Role


class ApiRequest(HttpRequest):
    """A request with a valid token."""

    auth: ApiToken


class Bearer(HttpBearer):
    """`Authorization: Bearer fdk_…`; the ApiToken becomes `request.auth`."""

    openapi_bearerFormat = "fdk_…"

    def __call__(self, request: HttpRequest) -> Any:
        """Return the token, or None for a 401. Unlike ninja's own, it never logs the header."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, text.strip()) if scheme.lower() == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Look the text up among the live tokens of active members."""
        return ApiToken.find(token, now=timezone.now())


class SubmitterBearer(Bearer):
    """Like Bearer, for calls that change something: viewers are refused (403)."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Raises AuthorizationError when the user may only read."""
        found = super().authenticate(request, token)
        if found and not Role(found.role).may_submit:
            raise AuthorizationError(message="A viewer may look, not submit or cancel.")
        return found
