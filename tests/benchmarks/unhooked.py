"""Every webhook lost: how long after its end a request nobody watches is stored.

UNHOOKED_ROWS of all ages wait at fal and end at random within a minute; the goal is p99 30 s, max 60 s.
"""

from __future__ import annotations

import os
import random
import threading
import time
from datetime import timedelta
from http.server import ThreadingHTTPServer

from django.conf import settings
from django.utils import timezone

from requests_app.models import FalRequest
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.jsonserver import JsonHandler

ROWS = int(os.environ.get("UNHOOKED_ROWS", "500"))
WITHIN_S = 60
LONGEST_S = 180


class SilentFal(JsonHandler):
    """Finishes each request at its own moment and tells only who asks."""

    ends: dict[str, float] = {}  # fal's request id -> when, by the wall clock
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        request_id = self.path.split("/requests/")[1].split("/")[0].split("?")[0]
        ended = time.time() >= self.ends[request_id]
        self.say({"status": "COMPLETED" if ended else "IN_PROGRESS", "logs": []})


def main() -> None:
    """Print the table."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SilentFal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.FAL_QUEUE_URL = f"http://127.0.0.1:{server.server_port}"
    settings.FAL_KEY, settings.PUBLIC_URL = "id:secret", ""
    late = sorted(measured())
    worker_loop.stop()
    server.shutdown()
    shown = [f"{late[int(len(late) * share)]:.1f} s" for share in (0.5, 0.99)]
    title = "From fal's end to ours, every webhook lost"
    table(title, ("requests", "median", "99 %", "worst"), [(ROWS, *shown, f"{late[-1]:.1f} s")])


def measured() -> list[float]:
    """Seconds of each request."""
    team_id = at_fal()
    mine = FalRequest.objects.filter(team_id=team_id)
    began = time.time()
    while mine.filter(ended_at=None).exists():
        if time.time() > began + LONGEST_S:
            raise TimeoutError(f"{mine.filter(ended_at=None).count()} are still open")
        worker_loop.run(sweep())
        time.sleep(1)
    ended = mine.values_list("fal_request_id", "ended_at")
    return [at.timestamp() - SilentFal.ends[request_id] for request_id, at in ended]


def at_fal() -> int:
    """Requests that have run for a second to an hour; when each will end."""
    chance, now = random.Random(3), timezone.now()
    user, team = make_owner()
    fill(
        ROWS, user=user, team=team, endpoint_id="acme/img", status="in_progress", ended_at=None,
        accepted_at=now,
    )  # fmt: skip
    for row in FalRequest.objects.filter(team=team):
        row.sent_at = now - timedelta(seconds=3600 ** chance.random())
        row.due_at = now + timedelta(seconds=chance.uniform(0, 25))
        row.save(update_fields=["sent_at", "due_at"])
        SilentFal.ends[row.fal_request_id] = time.time() + chance.uniform(0, WITHIN_S)
    return team.pk


if __name__ == "__main__":
    main()
