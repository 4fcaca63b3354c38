"""Whether an answer's time tells what its words do not: a request of another team from one that never was, and a name with an
account from one without.

ISOLATION_ROUNDS rounds, in each of which both are asked, in a random order, one after the other. Pages, the API and the
log-in are called inside this process, where nothing of a network hides a difference, and each call is rolled back; the
gateway is called over a socket. "p": the chance to see such a difference, or a larger one, where there is none
(Mann-Whitney); the interval is of the difference of the medians (bootstrap, 95 %).
"""

from __future__ import annotations

import logging
import math
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx

from tests.benchmarks.latency import make_member
from tests.benchmarks.report import table
from tests.benchmarks.stub import running
from tests.process.serving import Serving
from tests.signing import Signer

if TYPE_CHECKING:
    from django.test import Client

ROUNDS = int(os.environ.get("ISOLATION_ROUNDS", "400"))
WARM_UP = 20
RESAMPLES = 500
PASSWORD = "a long pass phrase"
Pair = tuple[Callable[[], None], Callable[[], None]]


def main() -> None:
    """Print the table."""
    rows = [compared(name, *measured(pair)) for name, pair in pairs().items()]
    rows.append(compared("gateway, 404", *of_gateway()))
    columns = ("of what", "foreign", "missing", "difference", "95 % of it", "p")
    table(
        f"Another team's request and one that never was ({ROUNDS} rounds, medians)", columns, rows
    )


def pairs() -> dict[str, Pair]:
    """What is called inside this process: with what is another's, and with what is not there."""
    from django.conf import settings
    from django.test import Client

    from requests_app.models import ApiToken, Team
    from tests.builders import make_person, make_queued

    logging.disable(logging.CRITICAL)  # a line for each refusal
    settings.ALLOWED_HOSTS = ["*"]
    settings.PAGES_PER_MINUTE = settings.API_CALLS_PER_MINUTE = 10**9
    home, rival = (Team.objects.create(name=name) for name in ("Home", "Rival"))
    owner, stranger = make_person("owner", team=home), make_person("stranger", team=rival)
    owner.set_password(PASSWORD)
    owner.save()
    foreign = [make_queued(f"req-{number}", team=home, person=owner).public_id for number in range(50)]  # fmt: skip
    page, program, visitor = Client(), Client(), Client()
    page.force_login(stranger)
    program.defaults["HTTP_AUTHORIZATION"] = f"Bearer {ApiToken.issue(stranger, rival)}"
    paths = {
        "page": (page, "/requests/{}/"), "page, output": (page, "/requests/{}/output/"),
        "API": (program, "/api/v1/requests/{}/"), "API, output": (program, "/api/v1/requests/{}/output/"),
    }  # fmt: skip
    return {
        **{f"{name}, 404": (asks(*way, foreign), asks(*way)) for name, way in paths.items()},
        "log-in, wrong password": (logs_in(visitor, "owner"), logs_in(visitor, "nobody-at-all")),
    }  # fmt: skip


def asks(client: Client, path: str, ids: Sequence[UUID] = ()) -> Callable[[], None]:
    """Return a call that asks for one of the ids, or for a new one."""

    def ask() -> None:
        public_id = random.choice(ids) if ids else uuid4()
        assert client.get(path.format(public_id)).status_code == 404

    return ask


def logs_in(client: Client, name: str) -> Callable[[], None]:
    """Return a call that is refused for its password."""
    form = {"login": name, "password": "a wrong pass phrase"}

    def log_in() -> None:
        assert client.post("/accounts/login/", form).status_code == 200

    return log_in


def measured(pair: Pair) -> tuple[list[float], list[float]]:
    """Seconds of each round: of the one, and of the other."""
    from django.db import transaction

    def timed(call: Callable[[], None]) -> float:
        with transaction.atomic():
            began = time.perf_counter()
            call()
            took = time.perf_counter() - began
            transaction.set_rollback(True)
        return took

    return in_turns((lambda: timed(pair[0]), lambda: timed(pair[1])))


def in_turns(
    pair: tuple[Callable[[], float], Callable[[], float]],
) -> tuple[list[float], list[float]]:
    """Make the rounds; each begins with either of the two, so that neither is always the second."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(-WARM_UP, ROUNDS):
        for which in random.sample((0, 1), 2):
            seconds = pair[which]()
            if number >= 0:
                taken[which].append(seconds)
    return taken


def of_gateway() -> tuple[list[float], list[float]]:
    """A status of another team's request, which the gateway refuses itself, and of one that fal does not know."""
    with tempfile.TemporaryDirectory() as folder, running(Signer()) as fal:
        serving = Serving(
            Path(folder), FAL_KEY="id:secret", FAL_QUEUE_URL=f"{fal}/queue", FAL_RUN_URL=f"{fal}/run",
            FAL_API_URL=f"{fal}/api", FAL_REST_URL=f"{fal}/rest", FAL_JWKS_URL=f"{fal}/jwks.json",
        )  # fmt: skip
        with serving:
            home = make_member(serving)
            serving.manage("create_team", "Rival", "--owner=ada")
            rival = serving.manage("create_token", "--user=ada", "--team=Rival")
            path = "/gateway/queue/acme/img"
            with httpx.Client(base_url=serving.url, timeout=30) as http:
                mine, theirs = ({"Authorization": f"Key bench:{one}"} for one in (home, rival))
                made = http.post(path, json={"prompt": "x"}, headers=mine).raise_for_status()
                foreign = made.json()["request_id"]

                def timed(request_id: Callable[[], str], *statuses: int) -> float:
                    began = time.perf_counter()
                    reply = http.get(f"{path}/requests/{request_id()}/status", headers=theirs)
                    took = time.perf_counter() - began
                    assert reply.status_code in statuses, reply.text
                    return took

                return in_turns((
                    lambda: timed(lambda: foreign, 404), lambda: timed(lambda: str(uuid4()), 200, 202, 404)
                ))  # fmt: skip


def compared(name: str, one: Sequence[float], other: Sequence[float]) -> tuple[str, ...]:
    """A line of the table."""
    low, high = interval(one, other)
    middle = statistics.median(one), statistics.median(other)
    shown = (*middle, middle[0] - middle[1])
    return (
        name, *(f"{seconds * 1000:.3f} ms" for seconds in shown),
        f"{low * 1000:+.3f} to {high * 1000:+.3f} ms", f"{mann_whitney(one, other):.3f}",
    )  # fmt: skip


def interval(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Return within what 95 of 100 samples of these values have the difference of their medians."""
    drawn = sorted(
        statistics.median(random.choices(one, k=len(one))) - statistics.median(random.choices(other, k=len(other)))
        for _ in range(RESAMPLES)
    )  # fmt: skip
    return drawn[int(RESAMPLES * 0.025)], drawn[int(RESAMPLES * 0.975) - 1]


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p by the normal approximation; no two of these times are the same."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, start=1) if which == 0)
    n, m = len(one), len(other)
    expected = n * (n + m + 1) / 2
    spread = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(ranks - expected) / spread / math.sqrt(2))
