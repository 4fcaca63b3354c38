"""What `serve` prints at its start: where to log in, and a warning when others see debug pages."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from requests_app.management.commands.serve import Command

pytestmark = pytest.mark.django_db

WARNING = "WARNING: DEBUG is on."


def greeting(host: str) -> str:
    out = StringIO()
    Command(stdout=out)._greet("http://faldeck.example.com", host)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _here(settings: Any) -> None:
    settings.SANDBOX, settings.DEBUG, settings.PUBLIC_URL = False, True, ""
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "faldeck.example.com"])
def test_debug_at_an_address_that_others_reach_is_a_loud_warning(host: str) -> None:
    assert WARNING in greeting(host)


@pytest.mark.parametrize(
    ("public_url", "hosts"),
    [
        ("https://faldeck.example.com", ["localhost"]),
        ("", ["faldeck.example.com"]),
        ("", [".example.com"]),
        ("", ["*"]),
    ],
)
def test_debug_with_a_public_name_is_a_loud_warning_too(
    settings: Any, public_url: str, hosts: list[str]
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = public_url, hosts
    assert WARNING in greeting("127.0.0.1")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_debug_on_this_machine_alone_is_not_warned_of(host: str) -> None:
    assert WARNING not in greeting(host)


def test_without_debug_there_is_no_warning(settings: Any) -> None:
    settings.DEBUG = False
    assert WARNING not in greeting("0.0.0.0")
    assert "Faldeck is ready: http://faldeck.example.com/" in greeting("0.0.0.0")
