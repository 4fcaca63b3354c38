"""The page that sets a program up, and its light."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard import local_tls
from requests_app.gateway.recording import store
from requests_app.models import ApiToken, Team
from requests_app.routing import http_prefixes
from requests_app.views import record_code
from tests.gateway.test_recording import entry

PAGE, LIGHT = reverse("requests:record_code"), reverse("requests:code_light")


def form_of(page: Any, **typed: str) -> dict[str, str]:
    """The page's form as a browser sends it."""
    key = re.search(r'name="form_key" value="([0-9a-f]+)"', page.content.decode())
    assert key
    return {"form_key": key[1], "scope": "submit", "name": "My code", "days": "90", **typed}


def test_the_page_names_where_the_gateway_is() -> None:
    assert f"{record_code.PATH}/" in http_prefixes


def test_a_key_is_shown_once_in_every_snippet_and_may_submit(as_owner: Client, team: Team) -> None:
    page = as_owner.get(PAGE)
    assert page.content.decode().count(record_code.HIDDEN) == 3
    typed = form_of(page)
    shown = as_owner.post(PAGE, typed).content.decode()
    (key,) = set(re.findall(r"faldeck:fdk_[\w-]+", shown))
    assert shown.count(key) == 5  # three snippets, the notice and its button
    token = ApiToken.objects.get()
    assert (token.name, token.scope, token.team) == ("My code", "submit", team)
    again = as_owner.post(PAGE, typed, follow=True).content.decode()
    assert "shown only once" in again
    assert key not in again
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("name", ["", "x" * 500])
def test_what_is_wrong_with_the_name_is_said_beside_it(as_owner: Client, name: str) -> None:
    reply = as_owner.post(PAGE, form_of(as_owner.get(PAGE), name=name))
    assert reply.status_code == 422
    assert "error-name" in reply.content.decode()
    assert not ApiToken.objects.exists()


def test_https_gives_the_variables_and_http_what_works_without_tls(
    as_owner: Client, settings: Any
) -> None:
    settings.PUBLIC_URL = ""
    plain = as_owner.get(PAGE).content.decode()
    assert "http://testserver/gateway/run/" in plain
    assert "FAL_RUN_HOST" not in plain
    settings.PUBLIC_URL = "https://faldeck.example"
    public = as_owner.get(PAGE).content.decode()
    assert "FAL_RUN_HOST=faldeck.example/gateway/run" in public
    assert "https://faldeck.example/gateway/proxy" in public


def test_a_certificate_of_our_own_is_in_every_snippet(
    as_owner: Client, settings: Any, tmp_path: Path
) -> None:
    settings.PUBLIC_URL = ""
    settings.LOCAL_TLS = local_tls.ensure(tmp_path, [])
    page = as_owner.get(PAGE, secure=True).content.decode()
    assert f"export SSL_CERT_FILE={tmp_path}/trust.pem" in page
    assert f"NODE_EXTRA_CA_CERTS={tmp_path}/ca.pem" in page
    assert f"--cacert {tmp_path}/ca.pem" in page
    settings.LOCAL_TLS = None
    assert str(tmp_path) not in as_owner.get(PAGE, secure=True).content.decode()


def test_the_light_shows_the_users_own_calls_alone(
    as_owner: Client, as_stranger: Client, team: Team, owner: User, teammate: User
) -> None:
    store(entry(team, teammate))
    for client in (as_owner, as_stranger):
        assert "Waiting for the first call" in client.get(LIGHT).content.decode()
    store(entry(team, owner, 1))
    assert "acme/img" in as_owner.get(LIGHT).content.decode()
    assert "acme/img" not in as_stranger.get(LIGHT).content.decode()


@pytest.mark.parametrize("named", ["0", "999999", "x", "²", "-1"])
def test_a_key_that_is_none_of_the_users_is_no_error(as_owner: Client, named: str) -> None:
    assert as_owner.get(LIGHT, {"key": named}).status_code == 200
