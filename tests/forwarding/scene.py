"""Destinations and messages for tests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from requests_app.forwarding.sealed import Sealed, seal
from requests_app.forwarding.signing import new_secret
from requests_app.models import FalRequest, ForwardDestination, ForwardMessage, Team

ROUTES_OF_DESTINATION = (
    "destination", "change_destination", "rotate_destination", "switch_destination",
    "test_destination", "remove_destination",
)  # fmt: skip
URL = "https://crm.example/hooks"


def make_destination(
    team: Team, *, url: str = URL, secret: str = "", now: datetime | None = None, **columns: Any
) -> ForwardDestination:
    """One that is on, and takes everything unless told otherwise."""
    now = now or timezone.now()
    wants = dict.fromkeys(
        ("wants_deliveries", "wants_completed", "wants_failed", "wants_cancelled"), True
    )
    defaults = {"name": "crm", "shown": "https://crm.example/…", "created_at": now, "since": now}
    encrypted = seal(Sealed(url, [secret or new_secret()]), team_id=team.pk)
    return ForwardDestination.objects.create(
        team=team, encrypted=encrypted, **{**wants, **defaults, **columns}
    )


def make_message(destination: ForwardDestination, **columns: Any) -> ForwardMessage:
    """An event of ours that is due."""
    now = columns.pop("now", None) or timezone.now()
    made = ForwardMessage.objects.count()
    defaults = {
        "key": f"test:{made}", "message_id": f"msg_{made}", "event": "request.failed", "body": b'{"type":"x"}',
        "created_at": now, "begun_at": now, "due_at": now,
    }  # fmt: skip
    return ForwardMessage.objects.create(
        team=destination.team, destination=destination, **{**defaults, **columns}
    )


def make_forward(
    team: Team, *, name: str = "crm", of: FalRequest | None = None
) -> tuple[ForwardDestination, ForwardMessage]:
    """A destination and a message of a request that it has accepted."""
    one = make_destination(team, name=name, shown=name)
    message = make_message(one, request=of, state="sent", due_at=None, ended_at=timezone.now())
    message.attempts.create(at=timezone.now(), took_ms=5, code=200, answer=name)
    return one, message


def pks_of_forwarding(team: Team) -> dict[str, int]:
    """For the addresses of routes."""
    one, message = make_forward(team)
    return dict.fromkeys(ROUTES_OF_DESTINATION, one.pk) | {"resend_forward": message.pk}
