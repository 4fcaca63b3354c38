"""Calls of the pages: each route's address for a team's objects, and what its form sends."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, reverse

from requests_app import account_urls, urls
from requests_app.forms.submit import new_token
from tests.isolation.estate import MISSING_PAYLOAD, MISSING_WORD, Estate, missing
from tests.isolation.people import Caller
from tests.isolation.rights import QUERIES

ROUTES: dict[str, URLPattern] = {
    str(one.name): one
    for one in (*urls.urlpatterns, *account_urls.urlpatterns)
    if isinstance(
        one, URLPattern
    )  # allauth's factors concern no team: tests/accounts/test_factors.py
}
OF_ACCOUNTS = {str(one.name) for one in account_urls.urlpatterns if isinstance(one, URLPattern)}
NUMBERS = {"number": 1, "size": 320}
# Of no team: a secret that nobody has.
SECRETS = {
    "secret": "s" * 43, "token": "t" * 43, "filename": "faldeck.whl", "key": "k", "uidb36": "1",
    "session_id": "a" * 16, "provider_id": "sso",
}  # fmt: skip
OBJECTS = frozenset({
    "public_id", "pk", "preset_id", "batch_id", "bulk_id", "group_id", "view_id", "export_id", "endpoint_id",
})  # fmt: skip


def parts_of(name: str) -> list[str]:
    """Which parts a route's address has."""
    pattern: Any = ROUTES[name].pattern
    return list(getattr(pattern, "converters", {})) or list(pattern.regex.groupindex)


def is_of_object(name: str) -> bool:
    """Whether the address names something that a team has."""
    return bool(OBJECTS.intersection(parts_of(name)))


def address(name: str, estate: Estate | None, *, sees: bool = True) -> str:
    """The route's address for the team's object; without a team for one that is missing."""
    kwargs = NUMBERS | SECRETS
    for part in OBJECTS.intersection(parts_of(name)):
        kwargs[part] = estate.part(name, part, sees=sees) if estate else missing(part)
    kwargs = {part: kwargs[part] for part in parts_of(name)}
    return reverse(name if name in OF_ACCOUNTS else f"requests:{name}", kwargs=kwargs)


def typed(name: str, estate: Estate, caller: Caller) -> dict[str, Any]:
    """What the route's form sends, for the page of the caller's own team."""
    made_for = caller.team.pk if caller.team else estate.team.pk
    values: dict[str, Any] = {
        "made_for": str(made_for), "token": new_token(), "form_key": "f" * 32, "endpoint_id": "acme/img",
        "mode": "queue", "input": '{"prompt": "typed"}', "favourite": "1", "act": "resolve", "note": "typed",
        "format": "csv", "role": "viewer", "username": "cleo", "days": "30", "scope": "read", "name": "typed",
        "text": '{"prompt": "typed"}', "add": "typed", "on": "1", "count": "1", "concurrency": "3",
        "verb": "cancel", "expected": "1", "version": "1", "duplicate_minutes": "5", "is_on": "on",
    }  # fmt: skip
    more: dict[str, dict[str, Any]] = {
        "note": {"text": "typed"},
        "replace_fal_key": {"secret": "id:typed"},
        "ask_bulk": {"scope": "selected", "id": str(estate.live.public_id)},
        "bulk_actions": {"scope": "selected", "id": str(estate.live.public_id)},
        "media_zip": {"scope": "selected", "id": str(estate.row.public_id)},
    }
    return values | more.get(name, {})


def queries(name: str, estate: Estate | None, known: Estate) -> list[str]:
    """What the address may be asked with, about the team's objects; without a team about missing ones."""
    values = {
        part: estate.part("", part) if estate else missing(part)
        for part in ("public_id", "preset_id", "view_id", "group_id", "endpoint_id")
    }
    values |= {
        "live": estate.live.public_id if estate else missing("live"),
        "team": estate.team.pk if estate else missing("pk"),
        "token": estate.token.pk if estate else missing("pk"),
        "word": known.word if estate else MISSING_WORD,
        "payload": known.payload if estate else MISSING_PAYLOAD,
    }
    return [query.format(**values) for query in QUERIES.get(name, "").split()]
