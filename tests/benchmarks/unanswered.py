"""Submits that fal took and whose answers are lost, without webhooks: from fal's end to ours by its list.

UNANSWERED_ROWS inputs of their own end at random within a minute; beside them some are sent in pairs of one
input, which nobody can tell apart and which must stay uncertain. The goal: all of them found, in 60 s.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterable
from datetime import datetime

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Status, Team
from requests_app.request_input import parse_draft
from requests_app.sandbox import SandboxServer, Tuning
from requests_app.worker.loop import worker_loop
from requests_app.worker.sweep import sweep
from tests.benchmarks.report import table
from tests.benchmarks.rows import make_owner

ROWS = int(os.environ.get("UNANSWERED_ROWS", "100"))
PAIRS = 5
ENDPOINT = "sandbox/echo"
WITHIN_S = 60.0
LONGEST_S = 240.0
LIST = "/api/v1/models/requests/by-endpoint"


def main() -> None:
    """Print the table."""
    tuning = Tuning(capacity={ENDPOINT: ROWS + 2 * PAIRS})
    with SandboxServer(tuning=tuning) as fal:
        fal.faults.add(when="submit", do="drop_reply_after_accepting", times=None)
        settings.FAL_KEY, settings.PUBLIC_URL = "sandbox:sandbox", ""
        settings.FAL_QUEUE_URL, settings.FAL_API_URL = f"{fal.url}/queue", f"{fal.url}/api"
        user, team = make_owner()
        rows, twins = submitted(user, team)
        try:
            took_s = sweeping(rows)
        finally:
            worker_loop.stop()
        show(fal, rows, twins, took_s)


def submitted(user: User, team: Team) -> tuple[list[int], list[int]]:
    """The keys of the rows: each with an input of its own, and two by two alike.

    The alike are sent first and together: one that has ended before the other is sent can be told.
    """
    chance = random.Random(5)
    delays = [chance.uniform(0, WITHIN_S) for _ in range(ROWS)]
    pairs = [_submit(user, team, f"pair {at // 2}", 10.0) for at in range(2 * PAIRS)]
    own = [_submit(user, team, f"number {at}", delay_s) for at, delay_s in enumerate(delays)]
    return own, pairs


def _submit(user: User, team: Team, message: str, delay_s: float) -> int:
    given = json.dumps({"message": message, "delay_s": round(delay_s, 2)})
    draft = parse_draft(endpoint_id=ENDPOINT, mode="queue", input=given, options={})
    return lifecycle.create(draft, team=team, person=user, now=timezone.now()).pk


def sweeping(rows: list[int]) -> float:
    """Once a second, as the clock does, until all have ended; how long it took."""
    began = time.monotonic()
    while _live(rows) and time.monotonic() - began < LONGEST_S:
        worker_loop.run(sweep())
        time.sleep(1)
    return time.monotonic() - began


def _live(rows: Iterable[int]) -> int:
    return FalRequest.objects.live().filter(pk__in=rows).count()


def show(fal: SandboxServer, rows: list[int], twins: list[int], took_s: float) -> None:
    """Print what came of them."""
    ended = FalRequest.objects.filter(pk__in=rows, status=Status.COMPLETED)
    at_fal = ends_at(fal)
    late = sorted(
        at.timestamp() - at_fal[request_id]
        for request_id, at in ended.values_list("fal_request_id", "ended_at")
        if at is not None
    )
    alike = FalRequest.objects.filter(pk__in=twins, status=Status.UNCERTAIN).count()
    shown = [f"{late[int((len(late) - 1) * share)]:.1f} s" for share in (0.5, 0.99, 1)]
    table(
        f"{ROWS} submits without an answer, no webhooks, found in fal's list",
        ("what", "figure"),
        [
            ("ended without a person", f"{len(late)} of {len(rows)}"),
            ("from fal's end to ours: median, 99 %, worst", ", ".join(shown)),
            ("alike, and still uncertain", f"{alike} of {len(twins)}"),
            ("submits that fal took", f"{len(fal.ledger)} for {len(rows) + len(twins)} rows"),
            ("until all had ended", f"{took_s:.0f} s"),
        ],
    )


def ends_at(fal: SandboxServer) -> dict[str, float]:
    """When fal ended each request, in Unix seconds, by its id."""
    with httpx.Client(
        base_url=fal.url, headers={"Authorization": f"Key {settings.FAL_KEY}"}
    ) as client:
        found: dict[str, float] = {}
        params: dict[str, str] = {"endpoint_id": ENDPOINT, "limit": "100"}
        while True:
            page = client.get(LIST, params=params).raise_for_status().json()
            for item in page["items"]:
                found[item["request_id"]] = _unix(item["ended_at"])
            if not page["has_more"]:
                return found
            params["cursor"] = page["next_cursor"]


def _unix(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


if __name__ == "__main__":
    main()
