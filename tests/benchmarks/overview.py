"""The overview over no requests, 100,000 and 1,000,000, as the server makes the page, and how long counting them takes.

Rows of a year are made up, then copied by the database itself to other times of it. BENCH_ROWS=1000000 for a million.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, timedelta

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from requests_app.lifecycle.made_up import SPREAD, make_up
from requests_app.models import Team
from requests_app.overview import rolling
from requests_app.overview.marks import mark_older
from requests_app.overview.reading import Asked, overview_of
from requests_app.overview.spans import Range
from tests.benchmarks.listing import fetch, timed
from tests.benchmarks.report import table
from tests.benchmarks.rows import make_owner
from tests.many_rows import copy_up_to

SIZES = tuple(map(int, os.environ.get("BENCH_ROWS", "0,100000").split(",")))
MADE_UP = 20_000  # the others are copies
YEAR_S = int(SPREAD.total_seconds())
# Of a copy: any time of the last year.
CREATED = {
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || (abs(random()) % {YEAR_S}) || ' seconds')",
    "postgresql": f"now() - make_interval(secs => random() * {YEAR_S})",
}


def main() -> None:
    """Print a table for each size."""
    settings.ALLOWED_HOSTS = ["*"]
    rolling.count_all(
        timezone.now()
    )  # what comes later is no history, whose times would be in no order
    for size in SIZES:
        user, team = make_owner()
        for _ in make_up(min(size, MADE_UP), team=team, people=[user], now=timezone.now()):
            pass
        if size > MADE_UP:
            spread_copies(size)
            mark_year(team)
        began, cpu = time.perf_counter(), time.process_time()
        rolling.count_all(timezone.now())
        took = f"{time.perf_counter() - began:.0f} s ({time.process_time() - cpu:.0f} s of a core)"
        measure(user, team, f"The overview over {size:,} rows, counted in {took}")


def spread_copies(size: int) -> None:
    """Copy the rows up to `size`, each copy at a time of its own."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-1000000")
        copy_up_to(size, created_at=CREATED[connection.vendor])
        cursor.execute("ANALYZE")


def mark_year(team: Team) -> None:
    """Have all hours of the year counted: copies were told to no count."""
    now = timezone.now()
    mark_older(((team.pk, now - timedelta(hours=back)) for back in range(YEAR_S // 3600 + 1)), now)


def measure(user: object, team: Team, title: str) -> None:
    """Print the figures of one team."""
    browser = Client()
    browser.force_login(user)  # type: ignore[arg-type]
    rows = []
    for asked in Range:
        page = timed(lambda asked=asked: fetch(browser, f"/overview/?range={asked.value}"))
        alone = timed(
            lambda asked=asked: overview_of(Asked(team.pk, asked, timezone.now(), UTC)) and None
        )
        rows.append((asked.value, *page, *alone))
    table(title, ("range", "page", "95 %", "figures", "95 %"), rows)
