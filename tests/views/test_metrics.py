"""Who may read the figures, and what is not in them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import Team
from requests_app.upkeep.metrics import WEBHOOKS
from tests.builders import make_request

pytestmark = pytest.mark.django_db
TOKEN = "a token of the monitoring system"


def ask(*, address: str = "127.0.0.1", **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().get("/metrics", headers=names, REMOTE_ADDR=address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_without_a_token_this_machine_may_read_them(address: str) -> None:
    reply = ask(address=address)
    assert reply.status_code == 200
    assert reply["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "no-store" in reply["Cache-Control"]
    assert b'faldeck_requests{status="uncertain"} 0.0' in reply.content


@pytest.mark.parametrize("address", ["10.0.0.9", "203.0.113.5", "::ffff:10.0.0.9", "", "unix:"])
def test_nobody_elsewhere_may(address: str) -> None:
    assert ask(address=address).status_code == 404


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto", "X_Real_IP"],
)
def test_a_proxy_on_this_machine_speaks_for_somebody_else(header: str) -> None:
    assert ask(**{header: "127.0.0.1"}).status_code == 404


def test_behind_a_proxy_every_caller_looks_local_and_none_is_believed(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    assert ask().status_code == 404


def test_whoever_sends_the_token_may_from_anywhere(settings: Any) -> None:
    settings.METRICS_TOKEN, settings.BEHIND_PROXY = TOKEN, True
    reply = ask(address="10.0.0.9", Authorization=f"Bearer {TOKEN}", X_Forwarded_For="8.8.8.8")
    assert reply.status_code == 200


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer é"]
)
def test_with_a_token_set_this_machine_needs_it_too(settings: Any, sent: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert ask(Authorization=sent).status_code == 404


def test_a_refusal_is_the_same_as_a_path_that_never_was() -> None:
    client = Client(REMOTE_ADDR="10.0.0.9")
    refused, missing = client.get("/metrics"), client.get("/metricz")
    assert refused.status_code == missing.status_code == 404
    assert refused.content == missing.content


def test_they_are_only_read() -> None:
    assert Client().post("/metrics").status_code == 405


def test_neither_names_nor_endpoints_of_a_team_are_in_them(team: Team, owner: User) -> None:
    make_request(team=team, person=owner, endpoint_id="acme/very-secret-model")
    text = ask().content.decode()
    assert 'faldeck_requests{status="pending"} 1.0' in text
    assert "secret" not in text
    assert "Acme" not in text


def test_a_webhook_nobody_waits_for_is_counted() -> None:
    before = WEBHOOKS.labels("unknown_address")._value.get()
    path = "/hooks/fal/00000000-0000-4000-8000-000000000000/nosuchsecret"
    assert Client().post(path, b"{}", "application/json").status_code == 404
    assert WEBHOOKS.labels("unknown_address")._value.get() == before + 1
