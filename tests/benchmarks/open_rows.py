"""Requests that wait for their webhook, and users with sessions, put straight into a database.

`python -m tests.benchmarks.open_rows ROWS USERS [TEAM]` prints `{"team", "cookies", "rows"}`; the rows
as `[[public id, fal's request id], …]`, all with the secret `SECRET` in their webhook's address.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

from tests.process.serving import ROOT, Serving

SECRET = "a-secret-of-the-benchmark"


def put_in(serving: Serving, rows: int, users: int = 0, team: int = 0) -> dict[str, Any]:
    """Into the database of a service, in a process of its own."""
    numbers = [str(number) for number in (rows, users, team)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.open_rows", *numbers],
        cwd=ROOT, env=serving.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(rows: int, users: int, team_id: int = 0) -> None:
    """Print what was stored."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.utils import timezone

    from requests_app.models import FalRequest, Membership, Team
    from requests_app.models.team import digest
    from tests.benchmarks.rows import fill, make_owner

    if team_id:
        team = Team.objects.get(pk=team_id)
        owner = User.objects.get(memberships__team=team, memberships__role="owner")
    else:
        owner, team = make_owner()
    members = [User(username=f"member-{team.pk}-{number}") for number in range(users)]
    for user in User.objects.bulk_create(members):
        Membership.objects.create(team=team, user=user)
    known = FalRequest.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    now = timezone.now()
    fill(
        rows, user=owner, team=team, status="in_progress", ended_at=None, accepted_at=now, seq=0,
        webhook_digest=digest(SECRET), due_at=now + timedelta(days=1),
    )  # fmt: skip
    made = FalRequest.objects.filter(pk__gt=known).values_list("public_id", "fal_request_id")
    cookies = [f"{settings.SESSION_COOKIE_NAME}={_session(user, team.pk)}" for user in members]
    pairs = [[str(public_id), request_id] for public_id, request_id in made]
    print(json.dumps({"team": team.pk, "cookies": cookies, "rows": pairs}))


def _session(user: Any, team_id: int) -> str:
    """The key of a new log-in session."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from requests_app.models.session import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["team"] = team_id
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    main(*map(int, sys.argv[1:]))
