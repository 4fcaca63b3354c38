"""Who is not logged in: a page is led to the log-in, a script is told."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from requests_app.views.login import is_script

NAVIGATION = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate"}
SCRIPTS = [
    {"HX-Request": "true", "Accept": "*/*"},
    {"Accept": "*/*", "Sec-Fetch-Mode": "cors"},
    {"Accept": "*/*", "Sec-Fetch-Mode": "same-origin"},
    {"Accept": "*/*"},  # plain http, where browsers send no Sec-Fetch headers
    {"Accept": "application/json"},
    {"Accept": "image/avif,image/webp,*/*;q=0.8", "Sec-Fetch-Mode": "no-cors"},
    {"HX-Request": "true", "Accept": "text/html"},
]
PAGES = [NAVIGATION, {"Accept": "text/html"}, {}]


@pytest.mark.parametrize("headers", SCRIPTS)
def test_a_script_is_known(headers: dict[str, str]) -> None:
    assert is_script(RequestFactory().get("/", headers=headers))


@pytest.mark.parametrize("headers", PAGES)
def test_a_navigation_is_known(headers: dict[str, str]) -> None:
    assert not is_script(RequestFactory().get("/", headers=headers))


def private_routes() -> list[str]:
    """Every page of ours that takes no argument and wants a log-in."""
    names = [
        "list", "rows", "counts", "changes", "completions", "new", "realtime", "sessions", "messages", "settings",
        "invitations", "logged_in_again",
    ]  # fmt: skip
    return [reverse(f"requests:{name}") for name in names]


@pytest.mark.django_db
@pytest.mark.parametrize("path", private_routes())
def test_every_private_page_is_401_to_a_script_and_the_log_in_to_a_person(path: str) -> None:
    for headers in SCRIPTS:
        refused = Client().get(path, headers=headers)
        assert refused.status_code == 401, headers
        assert refused["X-Refusal"] == "login"
        assert refused.json()["detail"].startswith("You are logged out.")
    for headers in PAGES:
        led = Client().get(path, headers=headers)
        assert (led.status_code, led["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["cancel", "give_up", "again"])
def test_a_write_is_401_to_a_script_and_leads_back_to_the_page_that_sent_it(name: str) -> None:
    path = reverse(f"requests:{name}", args=["6f9619ff-8b86-4d11-b42d-00c04fc964ff"])
    assert Client().post(path, headers={"HX-Request": "true"}).status_code == 401
    sender = "http://testserver/requests/?q=x"
    led = Client().post(path, headers={**NAVIGATION, "Referer": sender})
    assert led["Location"] == "/accounts/login/?next=/requests/%3Fq%3Dx"
    for foreign in ("https://evil.example/requests/", ""):
        led = Client().post(path, headers={**NAVIGATION, "Referer": foreign})
        assert led["Location"] == "/accounts/login/?next=/"


def test_no_view_uses_djangos_own_redirect_for_scripts() -> None:
    def views(resolver: object) -> list[object]:
        found: list[object] = []
        for entry in resolver.url_patterns:  # type: ignore[attr-defined]
            found += views(entry) if hasattr(entry, "url_patterns") else [entry.callback]
        return found

    ours = [view for view in views(get_resolver()) if view.__module__.startswith("requests_app")]  # type: ignore[attr-defined]
    assert ours
    for view in ours:
        inner = view
        while inner is not None:
            code = getattr(inner, "__code__", None)
            assert code is None or "django/contrib/auth/decorators" not in code.co_filename
            inner = getattr(inner, "__wrapped__", None)  # type: ignore[assignment]
