"""The sweep beside no history, 100,000 and 2,000,000 kept rows; and what it costs at rest.

HISTORY_ROWS is the largest. The median of three sweeps each: they must be within a tenth of each other.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from requests_app.models import FalRequest
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.benchmarks.stub import running
from tests.benchmarks.sweeping import ANSWER, ROWS, by_sweep
from tests.many_rows import copy_up_to
from tests.signing import Signer

HISTORIES = (0, 100_000, int(os.environ.get("HISTORY_ROWS", "2000000")))
ROUNDS = 3
REST_S = 15


def main() -> None:
    """Print the table."""
    settings.FAL_KEY, settings.PUBLIC_URL = "id:secret", ""
    with running(Signer()) as fal:
        settings.FAL_QUEUE_URL = f"{fal}/queue"
        by_sweep(9)  # imports, connections
        FalRequest.objects.all().delete()
        columns = ("rows kept", "with news", "without", "at rest, of one core", "made in")
        table(f"Polls/s of {ROWS} requests, by history", columns, list(rows()))


def rows() -> Iterator[tuple[str, ...]]:
    """One line for each history."""
    for history in HISTORIES:
        made_s = grow(history)
        news, none = (f"{ROWS / median_s(place):.0f}" for place in (9, ANSWER))
        yield f"{history:,}", news, none, f"{at_rest():.2f} %", f"{made_s:.0f} s"


def grow(count: int) -> float:
    """Have so many kept rows; return how long it took."""
    began = time.perf_counter()
    if count and not FalRequest.objects.exists():
        user, team = make_owner()
        fill(100, user=user, team=team)
    if count:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA synchronous=OFF")
                cursor.execute("PRAGMA cache_size=-1000000")
            copy_up_to(count)
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                cursor.execute("VACUUM ANALYZE")  # as autovacuum does by itself
        connection.close()
    return time.perf_counter() - began


def median_s(place: int) -> float:
    """Seconds of a sweep of rows that know this place."""
    return statistics.median(by_sweep(place) for _ in range(ROUNDS))


def at_rest() -> float:
    """Percent of one core that a sweep each second takes while nothing is due."""
    worker_loop.run(sweep())
    began = time.process_time()
    for _ in range(REST_S):
        worker_loop.run(sweep())
        time.sleep(1)
    used_s = time.process_time() - began
    worker_loop.stop()
    return used_s / REST_S * 100
