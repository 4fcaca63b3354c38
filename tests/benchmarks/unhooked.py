"""Every webhook lost: how long after its end a request nobody watches is stored.

UNHOOKED_ROWS of all ages wait at fal and end at random within a minute. The goal at the default pace is
p99 30 s, max 60 s; UNHOOKED_POLLS_PER_S="50 2000" measures other paces too.
"""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta

import httpx
from django.conf import settings
from django.utils import timezone

from requests_app.models import FalRequest
from requests_app.rules.schedule import LATEST_S, POLLS_PER_S
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.benchmarks.stub import running
from tests.signing import Signer

ROWS = int(os.environ.get("UNHOOKED_ROWS", "500"))
PACES = [int(pace) for pace in os.environ.get("UNHOOKED_POLLS_PER_S", "50").split()]
WITHIN_S = 60
LONGEST_S = 180


def main() -> None:
    """Print the table."""
    settings.FAL_KEY, settings.PUBLIC_URL = "id:secret", ""
    rows = []
    with running(Signer()) as fal:
        settings.FAL_QUEUE_URL = f"{fal}/queue"
        for polls_per_s in PACES:
            settings.POLLS_PER_S = polls_per_s
            late = sorted(measured(fal))
            worker_loop.stop()
            shown = [f"{late[int(len(late) * share)]:.1f} s" for share in (0.5, 0.99)]
            rows.append((f"{ROWS}, {polls_per_s} polls/s", *shown, f"{late[-1]:.1f} s"))
    title = "From fal's end to ours, every webhook lost"
    table(title, ("requests", "median", "99 %", "worst"), rows)


def measured(fal: str) -> list[float]:
    """Seconds of each request."""
    team_id, ends = at_fal()
    httpx.post(f"{fal}/ends", json=ends).raise_for_status()
    mine = FalRequest.objects.filter(team_id=team_id)
    began = time.time()
    while mine.filter(ended_at=None).exists():
        if time.time() > began + LONGEST_S:
            raise TimeoutError(f"{mine.filter(ended_at=None).count()} are still open")
        worker_loop.run(sweep())
        time.sleep(1)
    ended = mine.values_list("fal_request_id", "ended_at")
    return [at.timestamp() - ends[request_id] for request_id, at in ended]


def at_fal() -> tuple[int, dict[str, float]]:
    """Requests that have run for a second to an hour; when each will end."""
    chance, now = random.Random(3), timezone.now()
    ends: dict[str, float] = {}
    latest_s = LATEST_S / max(1, settings.POLLS_PER_S / POLLS_PER_S)
    user, team = make_owner()
    fill(
        ROWS, user=user, team=team, endpoint_id="acme/img", status="in_progress", ended_at=None,
        accepted_at=now,
    )  # fmt: skip
    for row in FalRequest.objects.filter(team=team):
        row.sent_at = now - timedelta(seconds=3600 ** chance.random())
        row.due_at = now + timedelta(seconds=chance.uniform(0, latest_s))
        row.save(update_fields=["sent_at", "due_at"])
        ends[row.fal_request_id] = time.time() + chance.uniform(0, WITHIN_S)
    return team.pk, ends


if __name__ == "__main__":
    main()
