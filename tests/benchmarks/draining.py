"""fal's queue goes away for a while with a thousand requests waiting: probes, and the time to send them all."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from django.conf import settings
from django.utils import timezone

from requests_app.models import FalRequest
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.benchmarks.stub import running
from tests.ports import free_port
from tests.signing import Signer

ROWS = 1000
AWAY_S = 20.0
LONGEST_S = 300.0


def main() -> None:
    """Print the table."""
    port = free_port()
    settings.FAL_QUEUE_URL, settings.FAL_KEY = f"http://127.0.0.1:{port}/queue", "id:secret"
    settings.PUBLIC_URL = ""
    user, team = make_owner()
    fill(
        ROWS, user=user, team=team, endpoint_id="acme/img", status="pending", ended_at=None,
        sent_at=None, accepted_at=None, due_at=timezone.now(), fal_request_id="",
    )  # fmt: skip
    mine = FalRequest.objects.filter(team_id=team.pk)
    try:
        with running(Signer(), port=port) as fal:
            httpx.post(f"{fal}/away", params={"is": "1"})
            sweeping(AWAY_S, lambda: False)
            probes = httpx.get(f"{fal}/refused").json()
            waiting = mine.filter(status="pending").count()
            httpx.post(f"{fal}/away", params={"is": "0"})
            took = sweeping(LONGEST_S, lambda: not mine.filter(status="pending").exists())
            sent = len(httpx.get(f"{fal}/seen").json())
    finally:
        worker_loop.stop()
    uncertain = mine.filter(status="uncertain").count()
    table(
        f"fal's queue away (503) for {AWAY_S:.0f} s, {ROWS} requests waiting",
        ("what", "figure"),
        [
            ("calls while it was away", sum(probes.values())),
            ("of them submits, now uncertain", f"{probes.get('POST', 0)}, {uncertain}"),
            ("still waiting then", waiting),
            ("all sent after its return", f"{took:.1f} s"),
            ("submits that fal took", sent),
        ],
    )


def sweeping(longest_s: float, done: Callable[[], bool]) -> float:
    """Once a second, as the clock does; how long it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < longest_s and not done():
        worker_loop.run(sweep())
        time.sleep(1)
    return time.perf_counter() - began
