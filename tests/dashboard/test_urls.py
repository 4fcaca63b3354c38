"""Every route of the whole site, and why it is there: nothing is mounted by the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, get_resolver

from requests_app import urls
from requests_app.api.api import api
from requests_app.routing import websocket_urlpatterns
from tests.source import text_of

# Beside those of requests_app/urls.py, whose reasons stand in docs/design.md, and the API's operations,
# whose reasons stand in its description.
REASONS = {
    "accounts/login/": "who has an account gets in",
    "accounts/logout/": "and out; GET asks first",
    "accounts/inactive/": "says that an account is switched off, to who knows its password",
    "accounts/password/change/": "for who is logged in and knows the present one",
    "accounts/": "one's own account: what it is called, and the ways to what follows",
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": "the link in the mail to a new address",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "the link that sets a new password",
    "accounts/email/": "one's addresses",
    "accounts/name/": "another name for the account",
    "accounts/data/": "what is kept about one, as a file",
    "accounts/delete/": "one's account is deleted, after its name was typed",
    "accounts/factors/": "one's second factors",
    "accounts/factors/authenticate/": "asks for the second factor at the log-in",
    "accounts/factors/reauthenticate/": "and again before what matters",
    "accounts/factors/recovery-codes/": "how many codes are left",
    "accounts/factors/recovery-codes/download/": "the codes as a file, after a factor was shown",
    "accounts/factors/recovery-codes/generate/": "new codes in place of the old ones",
    "accounts/factors/totp/activate/": "an authenticator app is added",
    "accounts/factors/totp/deactivate/": "and removed",
    "accounts/factors/webauthn/": "one's passkeys",
    "accounts/factors/webauthn/add/": "a passkey is added",
    "accounts/factors/webauthn/keys/<pk>/edit/": "gets another name",
    "accounts/factors/webauthn/keys/<pk>/remove/": "and is removed",
    "accounts/factors/webauthn/login/": "log-in by passkey",
    "accounts/factors/webauthn/reauthenticate/": "a passkey before what matters",
    "accounts/oidc/<provider_id>/login/": "single sign-on begins, where it is configured",
    "accounts/oidc/<provider_id>/login/callback/": "and comes back",
    "accounts/password/reset/": "asks for the link that sets a new password",
    "accounts/password/reset/done/": "says that it is on its way, for every address alike",
    "accounts/password/reset/key/done/": "says that the new password is set",
    "accounts/reauthenticate/": "the password again before what matters",
    "accounts/signup/": "a new account, where sign-up is open",
    "accounts/signup/<token>/": "the link in the mail that goes on with it",
    "api/v1/": "django-ninja's name for the root, which answers 404 in the API's words",
    "api/v1/<rest>": "404 in the API's words for everything else",
    "api/v1/docs": "the API's description for people",
    "api/v1/openapi.json": "the API's description for programs",
}
SOCKETS = {
    "ws/": "what a page follows",
    "ws/realtime/": "a realtime session",
}


def routes(patterns: list[object], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        path = before + str(one.pattern)  # type: ignore[attr-defined]
        if isinstance(one, URLPattern):
            yield path, one
        else:
            yield from routes(one.url_patterns, path)  # type: ignore[attr-defined]


def described() -> dict[str, list[str]]:
    """The API's paths, with what their operations are for."""
    return {
        re.sub(r"{(\w+)}", r"<\1>", path).lstrip("/"): [one["description"] for one in of.values()]
        for path, of in api.get_openapi_schema()["paths"].items()
    }


def test_every_route_has_a_reason_and_every_reason_a_route() -> None:
    mounted = routes(get_resolver().url_patterns)
    others = {
        re.sub(r"<\w+:", "<", path) for path, route in mounted if route not in urls.urlpatterns
    }
    assert others == set(REASONS) | set(described())


def test_every_operation_of_the_api_says_what_it_is_for() -> None:
    assert described()
    assert all(text for texts in described().values() for text in texts)


@pytest.mark.parametrize("name", [str(route.name) for route in urls.urlpatterns])
def test_a_route_of_ours_has_its_reason_in_the_design(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| .+? \| (.+) \|$", text_of("docs/design.md"), re.M)
    assert row, name
    assert len(row[1].split()) >= 2


def test_every_socket_has_a_reason() -> None:
    assert {str(route.pattern) for route in websocket_urlpatterns} == set(SOCKETS)
