"""CPU of a list of 50 rows, beside Django's admin with the same rows and Flower with as many tasks.

Pages are called without a web server, Flower through its own. Goals: 10 ms, three times the lists of both.
"""

from __future__ import annotations

import subprocess
import sys
import time

from django.conf import settings
from django.test import Client

from requests_app.models import FalRequest
from requests_app.views.row_html import RowVariant, pushed_rows
from tests.benchmarks.beside import cpu_ms
from tests.benchmarks.report import table
from tests.benchmarks.rows import fill, make_owner
from tests.process.serving import ROOT

ROWS = 10_000


def main() -> None:
    """Print the table."""
    settings.ALLOWED_HOSTS = ["*"]
    user, team = make_owner()
    fill(ROWS, user=user, team=team)
    browser = Client()
    browser.force_login(user)
    ids = list(FalRequest.objects.filter(team=team).values_list("public_id", flat=True)[:50])
    member = RowVariant(may_submit=True, query="", sees=True)
    wanted = ",".join(map(str, ids))
    found = {
        "the list": spent(lambda: browser.get("/requests/")),
        "the list, nothing found": spent(lambda: browser.get("/requests/?q=submarine")),
        "50 rows fetched": spent(lambda: browser.get(f"/requests/rows/?ids={wanted}")),
        "50 rows pushed": spent(lambda: pushed_rows(team.pk, ids, [member])),
        "Django's admin": beside("admin"),
        "Flower": beside("flower"),
    }
    ours = float(found["the list"])
    rows = [(name, *columns(ms, ours)) for name, ms in found.items()]
    table(f"CPU of a list of 50 of {ROWS:,} rows", ("", "CPU", "a second", "to the list"), rows)


def spent(act: object) -> str:
    return str(cpu_ms(act, time.process_time))  # type: ignore[arg-type]


def beside(name: str) -> str:
    """Milliseconds, or why there are none; in a process of its own, on the same database."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.beside", name, str(ROWS)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip().splitlines()[-1]


def columns(found: str, ours: float) -> tuple[str, str, str]:
    """Milliseconds, pages a second of one core, and how many times the list's CPU."""
    try:
        ms = float(found)
    except ValueError:
        return found, "", ""
    return f"{ms:.1f} ms", f"{1000 / ms:.0f}", f"{ms / ours:.2f}"
