"""What `serve` prints at its start: where to log in, and a warning when others see debug pages."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

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


@pytest.mark.parametrize(
    ("public_url", "is_behind_proxy"), [("http://faldeck.example", False), ("", True)]
)
def test_tls_of_our_own_is_refused_where_another_would_end_it(
    settings: Any, tmp_path: Path, public_url: str, is_behind_proxy: bool
) -> None:
    settings.PUBLIC_URL, settings.BEHIND_PROXY = public_url, is_behind_proxy
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="--tls is for a server that browsers"):
        call_command("serve", "--tls")
    assert not list(tmp_path.iterdir())


def test_certificates_that_cannot_be_read_are_told_with_what_to_do(
    settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls/authority.pem").write_text("nothing")
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="made anew, and have to be trusted again"):
        call_command("serve", "--tls")
