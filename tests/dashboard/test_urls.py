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
