"""An identity provider, and this installation configured for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tests.sso.provider import CLIENT, SECRET, Provider, running_provider

BEGIN = "/accounts/oidc/sso/login/"


@pytest.fixture
def provider(db: None, settings: Any) -> Iterator[Provider]:
    with running_provider() as made:
        settings.OIDC_ISSUER, settings.OIDC_NAME = made.url, "Corp"
        app = {
            "provider_id": "sso", "name": "Corp", "client_id": CLIENT, "secret": SECRET,
            "settings": {"server_url": made.url, "oauth_pkce_enabled": True},
        }  # fmt: skip
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        yield made


@pytest.fixture
def sign_on(provider: Provider) -> Callable[..., Any]:
    """sign_on(client): the answer to the browser when it comes back from the provider."""

    def act(client: Client | None = None, query: str = "") -> Any:
        client = client or Client()
        there = client.get(BEGIN + query)
        assert there.status_code == 302, there.text
        return client.get(provider.authorize(there["Location"]))

    return act
