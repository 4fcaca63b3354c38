"""Every reply has a policy: a page the strict one, all else that or the one under which nothing runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client, override_settings
from django.urls import reverse

from dashboard.asgi import http_application
from dashboard.inert import INERT_POLICY, inert_replies
from tests.dashboard.test_private import ROUTES, address_of
from tests.dashboard.test_private import row as row

STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "report-uri": "/policy-reports/",
}


def fault_of(reply: HttpResponseBase) -> str:
    """What is wrong with its policy; a page without the strict one is a fault."""
    policy, kind = reply.get("Content-Security-Policy", ""), reply.get("Content-Type", "")
    if policy == INERT_POLICY:
        return "a page of ours that cannot work" if kind.startswith("text/html") else ""
    said = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    wrong = {name: said.get(name) for name, words in STRICT.items() if said.get(name) != words}
    return f"{wrong}" if wrong or "unsafe" in policy or "*;" in policy else ""


def faults(client: Client, addresses: dict[str, str]) -> dict[str, str]:
    found = {}
    for name, address in addresses.items():
        for method in ("get", "post"):
            reply = getattr(client, method)(address)
            if fault := fault_of(reply):
                found[f"{method} {name}"] = fault
    return found


@pytest.mark.slow
def test_every_route_answers_with_a_policy(row, as_owner, db):
    addresses = {name: address_of(name, row) for name in ROUTES}
    assert len(addresses) > 200
    assert faults(Client(), addresses) == {}
    assert faults(as_owner, addresses) == {}


@pytest.mark.slow
def test_so_do_the_description_of_the_api_and_errors(db, row, as_owner, monkeypatch):
    addresses = (
        "/api/v1/docs", "/api/v1/openapi.json", "/nowhere/", "/static/none.css", "/api/v1/nowhere",
        "/accounts/login/", "/%00", "/requests",
    )  # fmt: skip
    assert faults(as_owner, {one: one for one in addresses}) == {}
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    assert fault_of(strict.post(reverse("account_login"))) == ""
    monkeypatch.setattr(type(row), "public_id", property(lambda self: 1 / 0))
    as_owner.raise_request_exception = False
    broken = as_owner.get(
        reverse("requests:detail", args=["0" * 8 + "-0000-4000-8000-" + "0" * 12])
    )
    assert fault_of(broken) == ""


@pytest.mark.parametrize("name", ["favicon.svg", "icons.svg"])
def test_so_does_a_picture_of_ours_which_is_a_document_when_it_is_opened(db, name):
    reply = Client().get(f"/static/{name}")
    assert reply["Content-Security-Policy"] == INERT_POLICY
    reply.close()


@override_settings(SECURE_SSL_REDIRECT=True)
def test_a_redirect_to_https_has_it_too(db):
    reply = Client().get("/requests/")
    assert (reply.status_code, fault_of(reply)) == (301, "")


def played(application: Any, path: str) -> dict[str, str]:
    """The headers of a GET, as a dictionary of texts."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(event: dict[str, Any]) -> None:
        told.append(event)

    scope = {
        "type": "http", "path": path, "method": "GET", "query_string": b"", "scheme": "http",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    return {name.decode(): value.decode() for name, value in told[0]["headers"]}


async def looser(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"Content-Security-Policy", b"default-src *"), (b"content-type", b"text/html")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def test_a_reply_that_only_passes_through_is_never_a_page_of_this_site():
    assert played(inert_replies(looser), "/") == {
        "content-type": "text/html",
        "content-security-policy": INERT_POLICY,
    }


@pytest.mark.django_db(transaction=True)
def test_the_gateway_and_the_tools_answer_so():
    for path in ("/gateway/run/acme/img", "/gateway/nowhere", "/mcp"):
        assert played(http_application, path)["content-security-policy"] == INERT_POLICY
