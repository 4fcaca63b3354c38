"""The settings of single sign-on by OpenID Connect (without an issuer there is none), and of sign-up."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from dashboard.env import env_bool, env_choice, env_int, env_list, env_text, env_url

__all__ = [  # what Django's settings take over
    "ACCOUNT_REAUTHENTICATION_TIMEOUT", "OIDC_CLAIM", "OIDC_CREATES", "OIDC_ISSUER", "OIDC_LINKS",
    "OIDC_NAME", "OIDC_TEAMS", "PASSWORD_LOGIN", "SIGNUP", "SIGNUP_DOMAINS", "SOCIALACCOUNT_ADAPTER", "SOCIALACCOUNT_PROVIDERS",
]  # fmt: skip

ROLES = ("viewer", "member", "admin", "owner")


def team_roles(name: str, entries: list[str]) -> list[tuple[str, str, str]]:
    """Parse the entries `group=Team:role` of a setting into (group, team, role)."""
    return [_entry(name, text) for text in entries]


def _entry(name: str, text: str) -> tuple[str, str, str]:
    group, _, place = (part.strip() for part in text.rpartition("="))
    team, _, role = (part.strip() for part in place.rpartition(":"))
    if not group or not team or role.lower() not in ROLES:
        raise ImproperlyConfigured(
            f"{name} has {text!r}. Use group=Team:role, with a role of {', '.join(ROLES)}."
        )
    return group, team, role.lower()


def check_sign_on(*, issuer: str, client_id: str, has_passwords: bool) -> None:
    """Refuse settings with which no one could log in."""
    if issuer and not client_id:
        raise ImproperlyConfigured("OIDC_ISSUER is set, but OIDC_CLIENT_ID is not.")
    if not issuer and not has_passwords:
        raise ImproperlyConfigured("PASSWORD_LOGIN is 0 without OIDC_ISSUER: no one could log in.")


def check_sign_up(*, is_open: bool, has_mail: bool, has_passwords: bool) -> None:
    """Refuse an open sign-up that could not work."""
    if is_open and not has_mail:
        raise ImproperlyConfigured("SIGNUP is open without EMAIL_HOST: its links are mailed.")
    if is_open and not has_passwords:
        raise ImproperlyConfigured("SIGNUP is open, but PASSWORD_LOGIN is 0. Keep one of them.")


OIDC_ISSUER = env_url("OIDC_ISSUER")
OIDC_NAME = env_text("OIDC_NAME", "single sign-on")
OIDC_CLAIM = env_text("OIDC_CLAIM", "groups")
OIDC_TEAMS = team_roles("OIDC_TEAMS", env_list("OIDC_TEAMS"))
OIDC_CREATES = env_bool("OIDC_CREATES", default=True)
OIDC_LINKS = env_bool("OIDC_LINKS", default=False)
PASSWORD_LOGIN = env_bool("PASSWORD_LOGIN", default=True)

_app = {
    "provider_id": "sso",
    "name": OIDC_NAME,
    "client_id": env_text("OIDC_CLIENT_ID"),
    "secret": env_text("OIDC_CLIENT_SECRET"),
    "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
}
check_sign_on(issuer=OIDC_ISSUER, client_id=str(_app["client_id"]), has_passwords=PASSWORD_LOGIN)
SOCIALACCOUNT_ADAPTER = "requests_app.sso.adapter.SignOnAdapter"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {"APPS": [_app] if OIDC_ISSUER else []}
}

# Seconds after a log-in in which what matters is done without asking who it is.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * env_int("REAUTHENTICATE_MINUTES", 15, least=1)

# New people without an invitation: by a link that is mailed to them.
SIGNUP = env_choice("SIGNUP", "CLOSED", ("CLOSED", "OPEN"))
SIGNUP_DOMAINS = [domain.lower() for domain in env_list("SIGNUP_DOMAINS")]
check_sign_up(
    is_open=SIGNUP == "OPEN", has_mail=bool(env_text("EMAIL_HOST")), has_passwords=PASSWORD_LOGIN
)
