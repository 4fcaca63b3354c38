"""The list page over many rows, beside the least that a list could do."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.test import Client

from requests_app.models import FalRequest, Team
from tests.benchmarks.report import median_and_worst, table
from tests.benchmarks.rows import fill, make_owner

ROWS = 100_000
ROUNDS = 20


def main() -> None:
    """Print the table."""
    settings.ALLOWED_HOSTS = ["*"]
    user, team = make_owner()
    fill(ROWS, user=user, team=team)
    browser = Client()
    browser.force_login(user)
    older = re.search(r'href="([^"]*older=[^"]*)"', browser.get("/requests/").text)
    assert older, "the first page leads to no second one"
    pages = {
        "the list": "/requests/",
        "second page": html.unescape(older[1]),
        "status:failed": "/requests/?q=status:failed",
        "endpoint:acme/model-3": "/requests/?q=endpoint:acme/model-3",
        "a rare word": "/requests/?q=99998",
        "no match": "/requests/?q=submarine",
        "chips alone": "/requests/counts/",
    }
    rows = [(name, *timed(lambda url=url: fetch(browser, url))) for name, url in pages.items()]
    rows.append(("floor: 50 newest rows, plain query", *timed(lambda: plain(team))))
    table(f"The list over {ROWS:,} rows ({ROUNDS} rounds)", ("page", "median", "95 %"), rows)


def fetch(browser: Client, url: str) -> None:
    """The whole page, rendered."""
    assert browser.get(url).status_code == 200, url


def plain(team: Team) -> None:
    """What any list has to do at the least."""
    newest = FalRequest.objects.filter(team=team).order_by("-id")
    assert len(newest.values_list("public_id", "status", "summary", "created_at")[:50]) == 50


def timed(act: Callable[[], None]) -> tuple[str, str]:
    """Median and worst of many rounds; the first one warms up."""
    act()
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return median_and_worst(seconds)
