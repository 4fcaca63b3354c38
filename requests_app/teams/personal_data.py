"""What is kept about one user, as JSON, a piece at a time: for the user's own download, and for an operator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from requests_app.audit import NO_TEAM
from requests_app.models import (
    ApiToken,
    AuditEntry,
    FalRequest,
    ListPreference,
    Membership,
    SavedView,
    Session,
    Star,
    TimePreference,
)

AT_ONCE = 2000  # rows read at a time

# Parts that belong to a team, and how they name it.
_OF_TEAMS = {
    "api_tokens": "team__in",
    "list_preferences": "team__in",
    "stars": "request__team__in",
}

Values = dict[str, Any]


def pieces_of(user: User) -> Iterator[bytes]:
    """Yield one JSON object. Of inputs and outputs it has none: they are the teams', and exported by them."""
    yield b"{\n"
    for number, (name, values) in enumerate(_parts(user)):
        yield (",\n" if number else "").encode() + _text(name) + b": "
        yield from _list(values) if isinstance(values, QuerySet) else iter((_text(values),))
    yield b"\n}\n"


def _parts(user: User) -> Iterable[tuple[str, Values | QuerySet[Any, Any]]]:
    """Yield each part by its name; a long one as a query."""
    account = User.objects.values(
        "username", "email", "first_name", "last_name", "date_joined", "last_login", "is_active"
    )
    yield "account", dict(account.get(pk=user.pk))
    # Of a team that the user has left not even its name is told any more.
    teams = list(Membership.objects.filter(user=user).values_list("team_id", flat=True))
    own: dict[str, tuple[Any, tuple[str, ...]]] = {
        "email_addresses": (EmailAddress, ("email", "verified", "primary")),
        "second_factors": (Authenticator, ("type", "created_at", "last_used_at")),
        "single_sign_on": (SocialAccount, ("provider", "uid", "last_login", "date_joined")),
        "memberships": (Membership, ("team__name", "role", "sees_payloads")),
        "api_tokens": (
            ApiToken,
            (
                "team__name", "name", "scope", "last_four", "created_at", "expires_at",
                "last_used_at", "last_used_from", "revoked_at",
            ),
        ),
        "sessions": (Session, ("began_at", "used_at", "address", "agent", "expire_date")),
        "list_preferences": (ListPreference, ("team__name", "columns", "density")),
        "time_preferences": (TimePreference, ()),
        "stars": (Star, ("request__public_id",)),
    }  # fmt: skip
    for name, (model, columns) in own.items():
        rows = model._default_manager.filter(user=user).order_by("pk")
        if name in _OF_TEAMS:
            rows = rows.filter(**{_OF_TEAMS[name]: teams})
        yield name, rows.values(*columns)
    views = SavedView.objects.filter(owner=user, team__in=teams).order_by("pk")
    yield "saved_views", views.values("team__name", "name")
    requests = FalRequest.objects.filter(person=user, team__in=teams).order_by("pk")
    yield "requests", requests.values("public_id", "team__name", "endpoint_id", "created_at")
    mine = AuditEntry.objects.filter(actor=user.get_username(), chain__in=[NO_TEAM, *teams])
    entries = mine.order_by("pk")
    yield (
        "audit_entries",
        entries.values("at", "act", "token", "address", "kind", "object_id", "label", "details"),
    )


def _list(rows: QuerySet[Any, Any]) -> Iterator[bytes]:
    yield b"["
    for number, row in enumerate(rows.iterator(chunk_size=AT_ONCE)):
        told = {name.replace("__", "_"): value for name, value in row.items()}
        yield (",\n  " if number else "\n  ").encode() + _text(told)
    yield b"]"


def _text(value: Any) -> bytes:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False).encode()
