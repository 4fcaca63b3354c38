"""Several requests by one press of a button: all are stored, or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app.lifecycle.person import create_once
from requests_app.models import FalRequest, Team
from requests_app.request_input import Draft


def create_several_once(
    drafts: Sequence[Draft],
    *,
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    key: str,
    body_digest: str,
    again_of: FalRequest | None = None,
    guard: bool = False,
) -> list[FalRequest]:
    """Create one request for each draft, as `create_once` does. Raises KeyReused, and
    AlreadyRunning where one request is made with a `guard`: several are never the same by accident.

    The same key and body return the same rows, whatever seeds the drafts have this time.
    """
    with transaction.atomic():
        return [
            create_once(
                draft,
                team=team,
                person=person,
                now=now,
                # The first has the key itself: another number of runs by the same key is refused.
                key=f"{key}:{number}" if number else key,
                body_digest=body_digest,
                again_of=again_of,
                guard=guard and len(drafts) == 1,
            )[0]
            for number, draft in enumerate(drafts)
        ]
