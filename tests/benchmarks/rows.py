"""Many rows at once, past the lifecycle: there is nobody to tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import FalRequest, Membership, Role, Team

BATCH = 2000


def make_owner() -> tuple[User, Team]:
    """A new team and its owner."""
    name = f"bench-{uuid4().hex[:8]}"
    user = User.objects.create_user(name, password=None)
    team = Team.objects.create(name=name)
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    return user, team


def fill(count: int, *, user: User, team: Team, **columns: Any) -> None:
    """Store `count` rows of the team, the last the newest."""
    now = timezone.now()
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        made = [_row(number, now, user, team, columns) for number in numbers]
        FalRequest.objects.bulk_create(made)


def _row(number: int, now: datetime, user: User, team: Team, columns: dict[str, Any]) -> FalRequest:
    prompt = f"a lighthouse at dusk, number {number}"
    values: dict[str, Any] = {
        "team": team,
        "person": user,
        "endpoint_id": f"acme/model-{number % 7}",
        "mode": "queue",
        "status": ("completed", "failed", "cancelled")[number % 29 % 3],
        "input_text": f'{{"prompt": "{prompt}"}}',
        "summary": prompt,
        "search_text": prompt,
        "seq": number,
        "created_at": now,
        "sent_at": now,
        "ended_at": now + timedelta(seconds=4),
    }
    request_id = str(uuid4())
    return FalRequest(**values | {"fal_request_id": request_id} | columns)
