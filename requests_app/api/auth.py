"""Authentication: a Bearer token acts for its user in its team, as far as its scope goes.

Every operation names the scope it needs: `auth=READS`, `SUBMITS` or `MANAGES`, which refuse the token of a member who
may not see inputs and outputs; `READS_ROWS`, `ACTS_ON_ROWS` and `MANAGES_ROWS` are for operations that show none to them. A session cookie never
authenticates here, so that another site's page cannot act through a browser.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from requests_app import audit
from requests_app.accounts.network import network_of
from requests_app.api import rate
from requests_app.models import HIDDEN, ApiToken, TokenScope


class ApiRequest(HttpRequest):
    """A request with a valid token."""

    auth: ApiToken


def token_of(request: HttpRequest) -> ApiToken | None:
    """Return the live token of an active member that the request carries, whatever its scope."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    return ApiToken.find(text.strip(), now=timezone.now(), used_from=network_of(request))


class Bearer(HttpBearer):
    """`Authorization: Bearer fdk_…`; the ApiToken becomes `request.auth`."""

    openapi_bearerFormat = "fdk_…"

    def __init__(self, needed: TokenScope, *, shows_payloads: bool = True) -> None:
        super().__init__()
        self.needed, self.shows_payloads = needed, shows_payloads

    def __call__(self, request: HttpRequest) -> Any:
        """Return the token, or None for a 401. Raises AuthorizationError (403).

        Unlike ninja's own, it never logs the header. Raises TooManyCalls (429).
        """
        token = token_of(request)
        if token:
            rate.count(request, token.pk)
        if token is None:
            rate.count_stranger(request)
            return None
        origin = audit.Origin(token.user.get_username(), token.name, network_of(request))
        audit.acting(lambda: origin)
        refusal = token.refusal(self.needed)
        if not refusal and self.shows_payloads and not token.sees:
            refusal = HIDDEN
        if refusal:
            audit.note_denied(request.path, refusal, team_id=token.team_id)
            raise AuthorizationError(message=refusal)
        return token

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """ninja's hook, which `__call__` does without."""
        raise NotImplementedError


READS = Bearer(TokenScope.READ)
SUBMITS = Bearer(TokenScope.SUBMIT)
MANAGES = Bearer(TokenScope.MANAGE)
READS_ROWS = Bearer(TokenScope.READ, shows_payloads=False)
ACTS_ON_ROWS = Bearer(TokenScope.SUBMIT, shows_payloads=False)
MANAGES_ROWS = Bearer(TokenScope.MANAGE, shows_payloads=False)
