"""Check an ID token (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import jwt

# No shared secrets ("HS256"): the token would be as good as the client secret's last reader.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
LEEWAY_S = 30
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]


class BadToken(Exception):
    """The token is refused; the text says why, and holds nothing of it."""


def checked(
    token: str, *, keys: Mapping[str, Any], issuer: str, client_id: str, nonce: str,
    asked_at: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the token's claims. `asked_at`: the user has to have logged in since then. Raises BadToken."""
    try:
        key = _key_of(token, keys)
        claims: dict[str, Any] = jwt.decode(
            token, key.key, algorithms=[key.algorithm_name], issuer=issuer, audience=client_id,
            leeway=LEEWAY_S, options={"require": REQUIRED},
        )  # fmt: skip
    except jwt.PyJWTError as error:
        raise BadToken(f"{type(error).__name__}") from None
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise BadToken(f"it cannot be read ({type(error).__name__})") from None
    _check_party(claims, client_id)
    said = claims.get("nonce")
    if not nonce or not isinstance(said, str) or not hmac.compare_digest(said, nonce):
        raise BadToken("its nonce is not that of this browser's log-in")
    if asked_at is not None:
        _check_fresh(claims.get("auth_time"), asked_at)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 191:
        raise BadToken("its subject is no text of 1 to 191 signs")
    return claims


def _key_of(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    kid = jwt.get_unverified_header(token).get("kid")
    usable = [
        key
        for key in jwt.PyJWKSet.from_dict(dict(keys)).keys
        if key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")
    ]
    found = usable if kid is None else [key for key in usable if key.key_id == kid]
    if len(found) != 1:
        raise BadToken("its key is not among the provider's")
    return found[0]


def _check_fresh(auth_time: object, asked_at: float) -> None:
    if not isinstance(auth_time, int | float) or isinstance(auth_time, bool):
        raise BadToken(
            "it does not say when the user logged in (auth_time), although max_age was sent"
        )
    if auth_time < asked_at - LEEWAY_S:
        raise BadToken("the provider has not asked the user to log in anew")


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise BadToken("it is for several clients and names none")
    if party not in (None, client_id):
        raise BadToken("it was made for another client")
