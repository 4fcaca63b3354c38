"""Search over a small and a large history, each page as the server makes it, and the chips alone."""

from __future__ import annotations

import os

from django.conf import settings
from django.test import Client
from django.utils import timezone

from requests_app.lifecycle.made_up import make_up
from tests.benchmarks.listing import fetch, timed
from tests.benchmarks.report import table
from tests.benchmarks.rows import make_owner

# BENCH_ROWS=100000,1000000: the million takes six minutes to make.
SIZES = tuple(map(int, os.environ.get("BENCH_ROWS", "10000,100000").split(",")))
SEARCHES = (
    "", "heron", "take 77", "nothing", "heron -owl", "her*", '"violin and a heron"', "input.seed:42",
    "output.images.width:1024", "error:required", "status:completed", "status:active", "status:failed,cancelled",
    "-status:completed", "endpoint:acme/*", "endpoint:acme/upscale status:failed", "by:me mode:stream heron",
    "id:0123", "after:2d", "before:300d", "duration:>30s", "duration:>10m", "heron duration:<1s after:30d",
)  # fmt: skip


def main() -> None:
    """Print a table for each size."""
    settings.ALLOWED_HOSTS = ["*"]
    for size in SIZES:
        user, team = make_owner()
        for _ in make_up(size, team=team, people=[user], now=timezone.now()):
            pass
        browser = Client()
        browser.force_login(user)
        measure(browser, size)


def measure(browser: Client, size: int) -> None:
    """Print the figures of one team."""
    rows = []
    for text in SEARCHES:
        page = timed(lambda text=text: fetch(browser, f"/requests/?q={text}"))
        chips = timed(lambda text=text: fetch(browser, f"/requests/counts/?q={text}"))
        rows.append((text or "the list", *page, *chips))
    title = f"Search over {size:,} rows"
    table(title, ("search", "page", "95 %", "chips", "95 %"), rows)
