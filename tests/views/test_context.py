"""What the frame of every page shows."""

from __future__ import annotations

import tomllib

import pytest
from django.test import Client

from tests.source import text_of

VERSION = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]


@pytest.mark.parametrize("path", ["/requests/", "/requests/new/", "/settings/"])
def test_the_footer_of_a_page_shows_the_version(path: str, client: Client, owner, team) -> None:
    client.force_login(owner)
    assert f"Faldeck {VERSION}" in client.get(path).content.decode()


@pytest.mark.django_db
def test_the_footer_of_the_log_in_page_shows_the_version(client: Client) -> None:
    assert f"Faldeck {VERSION}" in client.get("/accounts/login/").content.decode()
