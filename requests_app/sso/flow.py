"""allauth's OpenID Connect, which reads an ID token without its signature because it came over TLS. Here it is
always checked, and what the provider says of the user beside it counts for the same subject alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from requests_app.sso.id_token import BadToken, checked

PROVIDER = "sso"  # its id in addresses and in SocialAccount
NONCE = "sso_nonce"  # in the session
ASKED_AT = "sso_asked_at"  # in the session of one who is logged in and has to prove it anew: when


class CheckedFlow(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """One log-in."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the provider's document. Raises OAuth2Error."""
        try:
            found: dict[str, Any] = super().openid_config
            issuer = str(found["issuer"])
            wanted = [str(found[name]) for name in _ADDRESSES]
        except (KeyError, TypeError, ValueError) as error:
            raise OAuth2Error(f"The provider's document lacks {error}.") from None
        if issuer.rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error(f"The provider's document is of another issuer: {issuer}.")
        if settings.OIDC_ISSUER.startswith("https:") and any(
            not one.startswith("https:") for one in wanted
        ):
            raise OAuth2Error("The provider's document names an address without TLS.")
        return found

    def begin(self, request: HttpRequest, next_url: str | None) -> HttpResponse:
        """Redirect to the provider."""
        # Who is logged in already proves anew who they are: the provider has to ask.
        asks = {}
        request.session.pop(ASKED_AT, None)
        if request.user.is_authenticated:
            asks = {"prompt": "login", "max_age": "0"}
            request.session[ASKED_AT] = time.time()
        nonce = request.session.setdefault(NONCE, secrets.token_urlsafe(24))
        provider = self.get_provider()
        provider.oauth2_adapter_class = CheckedFlow  # it makes one of its own
        response: HttpResponse = provider.redirect(
            request, process=AuthProcess.LOGIN, next_url=next_url,
            auth_params={"nonce": nonce, **asks},
        )  # fmt: skip
        return response

    def complete_login(
        self, request: HttpRequest, app: Any, token: Any, **kwargs: Any
    ) -> SocialLogin:
        """Return the log-in of a checked token, with its groups. Raises OAuth2Error."""
        try:
            claims = checked(
                str(kwargs["response"].get("id_token", "")), keys=self._keys(), client_id=app.client_id,
                issuer=self.openid_config["issuer"], nonce=request.session.get(NONCE, ""),
                asked_at=request.session.pop(ASKED_AT, None),
            )  # fmt: skip
        except BadToken as error:
            raise OAuth2Error(f"The ID token is refused: {error}.") from None
        request.session.pop(NONCE, None)
        about = {**self._about(token.token, claims["sub"]), **claims}
        login: SocialLogin = self.get_provider().sociallogin_from_response(
            request, {"id_token": about}
        )
        login.account.extra_data = {}  # nothing of it is kept
        login.claims = about
        return login

    def _keys(self) -> Mapping[str, Any]:
        return _json_of(self.openid_config["jwks_uri"], {})

    def _about(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return what the provider says beside the token: some leave e-mail and groups out of it."""
        address = self.openid_config.get("userinfo_endpoint")
        if not address:
            return {}
        said = _json_of(address, {"Authorization": f"Bearer {access_token}"})
        if said.get("sub") != subject:
            raise OAuth2Error("The provider's word on the user is about another subject.")
        return said


_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def _json_of(address: str, headers: dict[str, str]) -> Mapping[str, Any]:
    with get_adapter().get_requests_session() as session:
        reply = session.get(address, headers=headers)
        reply.raise_for_status()
        said = reply.json()
    if not isinstance(said, dict):
        raise OAuth2Error("The provider answered with no object.")
    return said
