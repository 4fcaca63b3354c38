"""No answer may be kept, on any route: the tables of the site and of the API are walked, not listed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from dashboard.private import private_by_default
from requests_app.models import ApiToken, FalRequest, Frame, Mode
from tests.builders import hear, make_queued, make_result

METHODS = ("get", "head", "post", "put", "delete", "options")


def patterns(table: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site: its name with its namespace, and its pattern."""
    for entry in table:
        if isinstance(entry, URLResolver):
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from patterns(entry.url_patterns, inner)
        else:
            yield f"{prefix}{entry.name or entry.pattern}", entry


ROUTES = dict(patterns(get_resolver().url_patterns))


@pytest.fixture
def row(team, owner) -> FalRequest:
    """A request with everything a route may show of one."""
    row = make_queued(team=team, person=owner, mode=Mode.QUEUE)
    hear(row, make_result(output={"text": "secret"}))
    Frame.objects.create(
        request=row, number=1, offset_ms=1, data='{"a": 1}', raw=b"\x89PNG\r\n\x1a\n", size=8
    )
    return row


def value_of(name: str, row: FalRequest) -> Any:
    """Something that exists for a part of an address; a part of a new kind must be told here."""
    return {
        "public_id": row.public_id, "preset_id": row.public_id, "batch_id": row.public_id, "bulk_id": row.public_id, "group_id": "0f3a9c21d4e5b678", "export_id": row.public_id, "view_id": row.public_id, "id": row.public_id, "number": 1, "size": 96, "pk": 1, "secret": "s" * 43,
        "token": "t" * 43, "rest": "nowhere", "path": "openapi.json",
        "key": "k", "uidb36": "1", "endpoint_id": "acme/thing", "filename": "faldeck.whl", "session_id": "a" * 16, "provider_id": "sso",
    }[name]  # fmt: skip


# Parts of addresses that stand before the last pattern.
NESTED = {"mfa_remove_webauthn": ["pk"], "mfa_edit_webauthn": ["pk"]}


def address_of(name: str, row: FalRequest) -> str:
    pattern = ROUTES[name].pattern
    names = list(getattr(pattern, "converters", {})) or list(pattern.regex.groupindex)
    names += NESTED.get(name, [])
    kwargs = {one: value_of(one, row) for one in names}
    return reverse(name, kwargs=kwargs) if ":" in name or ROUTES[name].name else f"/{pattern}"


def may_be_kept(reply: HttpResponseBase) -> bool:
    return "no-store" not in reply.get("Cache-Control", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUTES)
def test_no_route_lets_its_answer_be_kept(name, row, as_owner, team, owner):
    bearer = Client(headers={"Authorization": f"Bearer {ApiToken.issue(owner, team)}"})
    address = address_of(name, row)
    for client in (as_owner, Client(), bearer):
        for method in METHODS:
            reply = getattr(client, method)(address)
            assert not may_be_kept(reply), f"{method} {address}: {reply.headers}"


@pytest.mark.parametrize("path", ["/nowhere/", "/static/none.css", "/requests", "/api/v1/nowhere"])
def test_what_is_not_there_is_not_kept_either(path, as_owner):
    assert not may_be_kept(as_owner.get(path))


def test_a_refused_form_and_an_error_of_ours_are_not_kept(owner, monkeypatch, row):
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.force_login(owner)
    assert not may_be_kept(strict.post(reverse("requests:new")))
    monkeypatch.setattr(FalRequest, "public_id", property(lambda self: 1 / 0))
    assert not may_be_kept(strict.get(reverse("requests:detail", args=[uuid.uuid4()])))


def test_a_static_file_may_be_kept(client, db):
    reply = client.get("/static/favicon.svg")
    assert reply.status_code == 200
    assert "max-age=" in reply["Cache-Control"]
    reply.close()


def test_a_view_may_say_otherwise(rf):
    view = private_by_default(lambda request: HttpResponse(headers={"Cache-Control": "no-cache"}))
    assert view(rf.get("/"))["Cache-Control"] == "no-cache"


def test_a_log_out_empties_the_browsers_cache(as_owner):
    assert "Clear-Site-Data" not in as_owner.get(reverse("account_logout"))
    assert as_owner.post(reverse("account_logout"))["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in as_owner.get("/requests/")
