"""fal's queue goes and comes back: what is sent meanwhile, and how soon everything else follows."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.fal import NotSent
from requests_app.models import FalRequest, Status, Team
from requests_app.worker.breaker import FAILURES
from requests_app.worker.loop import connections
from requests_app.worker.probe import take_probe
from requests_app.worker.steps import advance
from requests_app.worker.sweep import sweep
from tests.builders import fresh, make_queued, make_request
from tests.fal.peer import Step, html, says
from tests.worker.conftest import PeerThread, at_peer, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = 200
DRAINED_S = 100  # at this pace a thousand take five minutes


class Fal(deque[Step]):
    """A queue that is away (503) or there, for any number of calls."""

    def __init__(self, peer: PeerThread) -> None:
        super().__init__()
        self.peer = peer
        self.is_away = True

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Step:
        """The answer to what the peer has just read."""
        request = self.peer.requests[-1]
        if self.is_away:
            return html(503)
        if request.method == "POST":
            return says(200, {"request_id": f"r-{len(self.peer.requests)}"})
        if "/r-" in request.path:
            return says(202, {"status": "IN_PROGRESS"})
        return says(404, {"detail": "Request not found"})


@pytest.fixture
def fal(peer: PeerThread) -> Fal:
    fal = Fal(peer)
    peer.script = fal
    return fal


@pytest.fixture
def shut(loop: Any, fal: Fal) -> None:
    """The breaker is open."""

    async def go() -> None:
        for _ in range(FAILURES):
            with suppress(NotSent), connections.breaker().listening():
                raise NotSent("refused")

    loop.run(go())


def waiting(team: Team, owner: User, count: int) -> None:
    """So many rows that wait to be sent."""
    make_request(team=team, person=owner)
    (values,) = FalRequest.objects.values()
    values = {k: v for k, v in values.items() if k not in ("id", "public_id")}
    FalRequest.objects.bulk_create(FalRequest(**values) for _ in range(count - 1))


def sweep_for(loop: Any, seconds: float, done: Callable[[], bool] = lambda: False) -> float:
    """As the clock does, but five times a second; how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds and not done():
        loop.run(sweep())
        time.sleep(0.2)
    return time.monotonic() - began


def test_after_five_outages_in_a_row_nothing_more_is_asked(
    loop: Any, fal: Fal, peer: PeerThread, team: Team, owner: User
) -> None:
    rows = [
        at_peer(peer, make_queued(f"q-{n}", team=team, person=owner)) for n in range(FAILURES + 1)
    ]
    for row in rows:
        loop.run(advance(row.pk))
    assert len(peer.requests) == FAILURES
    last = fresh(rows[-1])
    assert (last.tries, last.due_at, last.lease) == (0, rows[-1].due_at, None)


@pytest.mark.slow
def test_a_worker_that_starts_in_an_outage_risks_a_handful_of_submits(
    loop: Any, fal: Fal, peer: PeerThread, team: Team, owner: User
) -> None:
    """All that it could send at once were uncertain before the first answer was heard."""
    waiting(team, owner, 60)
    lost = FalRequest.objects.filter(status=Status.UNCERTAIN)
    sweep_for(loop, 60, lambda: lost.count() >= FAILURES)
    sweep_for(loop, 1)
    wait_for(lambda: not FalRequest.objects.filter(status=Status.SUBMITTING).exists())
    uncertain = lost.count()
    submits = sum(request.method == "POST" for request in peer.requests)
    assert FAILURES <= uncertain == submits < 2 * FAILURES


@pytest.mark.slow
@pytest.mark.usefixtures("shut")
def test_while_it_is_away_it_is_asked_once_a_second_and_no_submit_is_risked(
    loop: Any, peer: PeerThread, team: Team, owner: User
) -> None:
    waiting(team, owner, 30)
    seconds = sweep_for(loop, 60, lambda: len(peer.requests) > 2)
    assert {request.method for request in peer.requests} == {"GET"}
    assert 2 < len(peer.requests) <= seconds + 1
    assert not FalRequest.objects.exclude(status=Status.PENDING, tries=0).exists()


@pytest.mark.usefixtures("shut")
def test_a_sweep_begins_one_row_of_those_that_wait_for_the_queue(
    loop: Any, team: Team, owner: User
) -> None:
    waiting(team, owner, 30)
    assert loop.run(sweep()) == 1


@pytest.mark.usefixtures("shut")
def test_direct_calls_do_not_wait_for_the_queue(
    loop: Any, peer: PeerThread, team: Team, owner: User
) -> None:
    waiting(team, owner, 3)
    make_request(team=team, person=owner, mode="run")
    loop.run(sweep())
    wait_for(lambda: any("/run/" in request.path for request in peer.requests))


@pytest.mark.usefixtures("shut")
def test_what_a_stopped_process_was_sending_does_not_wait_for_the_queue(
    loop: Any, team: Team, owner: User
) -> None:
    waiting(team, owner, 1)
    long_ago = timezone.now().replace(year=2020)
    FalRequest.objects.update(
        status=Status.SUBMITTING, due_at=long_ago, leased_until=long_ago, sent_at=long_ago
    )
    sweep_for(loop, 60, lambda: FalRequest.objects.get().status == Status.UNCERTAIN)
    assert FalRequest.objects.get().status == Status.UNCERTAIN


@pytest.mark.slow
@pytest.mark.usefixtures("shut")
def test_all_that_waited_is_sent_once_and_soon_when_it_is_back(
    loop: Any, fal: Fal, peer: PeerThread, team: Team, owner: User
) -> None:
    waiting(team, owner, WAITING)
    fal.is_away = False
    sent = FalRequest.objects.exclude(fal_request_id="")
    sweep_for(loop, DRAINED_S, lambda: sent.count() == WAITING)
    assert sent.count() == WAITING
    methods = Counter(request.method for request in peer.requests)
    assert methods["POST"] == WAITING


# --- shared by all processes ------------------------------------------------------------------------

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_one_process_may_probe_in_each_second() -> None:
    taken = [take_probe("x", now=later(at)) for at in (0, 0, 0.9, 1, 1.5, 2)]
    assert taken == [True, False, False, True, False, True]


def test_keys_are_probed_separately() -> None:
    assert take_probe("x", now=NOW)
    assert take_probe("y", now=NOW)


def test_another_machines_wrong_clock_blocks_no_probe() -> None:
    assert take_probe("x", now=later(600))
    assert take_probe("x", now=NOW)
