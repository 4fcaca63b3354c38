"""A wish to cancel against a request that is about to finish: the end is what fal says it was.

A simulated fal decides, by chance, which of the two was first and whether its model listens; its
answers reach us late, twice, or out of order. INTERLEAVINGS makes it more.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Observation, Source, Status, Team
from requests_app.rules.transitions import CANCELLED_TYPE, Gone
from requests_app.worker.sweep import sweep
from tests.builders import make_request, make_result, make_status, make_webhook
from tests.sampling import count
from tests.worker.conftest import loop as loop
from tests.worker.conftest import wait_for

# The reasoning is the same on every database: where others run the suite again, fewer will do.
INTERLEAVINGS = count("INTERLEAVINGS", 1000 if connection.vendor == "sqlite" else 200)
REAL = 40


@dataclass
class SimulatedFal:
    """One request at fal. `end` is the truth; what it `said` may still be on its way to us."""

    chance: random.Random
    request_id: str
    end: str = ""
    running: bool = False
    told: str = ""  # the answer to the cancellation
    said: list[tuple[Any, str]] = field(default_factory=list)

    def goes_on(self) -> None:
        """The runner starts, or finishes; a webhook is sent with the end."""
        if self.running and not self.end:
            self._ends("completed")
        self.running = True

    def is_asked_to_cancel(self) -> str:
        if self.end:
            return "already_completed" if self.end == "completed" else "not_found"
        self.told = "requested" if self.running else "removed"
        if not self.running or self.chance.random() < 0.5:  # not every model listens
            self._ends("cancelled")
        return self.told

    def _ends(self, how: str) -> None:
        self.end = how
        if how == "completed":
            self.said.append((make_webhook(self.request_id), Source.WEBHOOK))
        elif self.chance.random() < 0.5:  # whether fal sends one after a cancel is not stated
            error = {"status": "ERROR", "payload_bytes": None}
            gone = make_webhook(self.request_id, error="Invalid status code: 499", **error)
            self.said.append((gone, Source.WEBHOOK))

    def is_asked_how_it_stands(self) -> None:
        self.said += [(each, Source.POLL) for each in self.answers()]

    def answers(self) -> list[Any]:
        """Of a status question, and of the question for the result where that follows."""
        if self.end == "completed":
            return [make_status("COMPLETED", metrics={"inference_time": 1.0}), make_result()]
        if self.end == "cancelled":
            return [self.chance.choice(CANCELLED)]
        return [make_status("IN_PROGRESS" if self.running else "IN_QUEUE")]


CANCELLED = (
    make_status("COMPLETED", error_type=CANCELLED_TYPE),
    make_result(code=499, error="Client Closed Request"),
    Gone("request"),
)


@pytest.mark.long
@pytest.mark.django_db
def test_interleavings_of_cancel_and_completion_end_in_what_fal_says(
    team: Team, owner: User
) -> None:
    chance = random.Random(23)
    ends: Counter[tuple[str, bool]] = Counter()
    for number in range(INTERLEAVINGS):
        fal = SimulatedFal(chance, f"r{number}")
        row = at_fal(team, owner, fal.request_id)
        play(row, fal, owner)
        row = FalRequest.objects.get(pk=row.pk)
        assert row.status == fal.end, (number, fal, list(row.observations.all()))
        ends[fal.end, row.cancel_asked_at is not None] += 1
    assert not Observation.objects.filter(kind="contradiction").exists()
    assert sum(ends.values()) == INTERLEAVINGS
    assert min(ends["completed", True], ends["cancelled", True]) > INTERLEAVINGS / 10, ends


def at_fal(team: Team, owner: User, request_id: str) -> FalRequest:
    now = timezone.now()
    return FalRequest.objects.create(
        team=team, person=owner, endpoint_id="acme/img", input_text="{}", created_at=now,
        status=Status.IN_QUEUE, fal_request_id=request_id, accepted_at=now, due_at=now,
    )  # fmt: skip


def play(row: FalRequest, fal: SimulatedFal, owner: User) -> None:
    """A person, a worker, fal and the wire take turns by chance; then the worker looks to the end."""
    now = timezone.now()
    turns = ["fal", "fal", "person", "tell", "ask", "wire", "wire", "wire"]
    fal.chance.shuffle(turns)
    wishes = False
    for turn in turns:
        now += timedelta(milliseconds=1)
        if turn == "fal":
            fal.goes_on()
        elif turn == "person":
            wishes = lifecycle.ask_cancel(row.pk, person=owner, now=now) == "asked"
        elif turn == "tell" and wishes:
            lifecycle.note_cancel_answer(row.pk, fal.is_asked_to_cancel(), now=now)
        elif turn == "ask":
            fal.is_asked_how_it_stands()
        elif turn == "wire" and fal.said:
            hear(row, fal, now)
    fal.goes_on()
    fal.goes_on()
    fal.is_asked_how_it_stands()
    while fal.said:
        hear(row, fal, now)


def hear(row: FalRequest, fal: SimulatedFal, now: Any) -> None:
    """Any of what is on its way arrives; some of it twice."""
    at = fal.chance.randrange(len(fal.said))
    news, source = fal.said[at]
    if fal.chance.random() < 0.8:
        del fal.said[at]
    lifecycle.observe(row.pk, news, source=source, asked_at=now)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_cancels_that_race_the_end_over_real_sockets_end_in_what_fal_says(
    at_sandbox: Any, loop: Any, team: Team, owner: User
) -> None:
    chance = random.Random(29)
    rows = [short_work(team, owner, chance) for _ in range(REAL)]
    wishes = {row.pk for row in rows}

    def all_ended() -> bool:
        loop.run(sweep())
        under_way = FalRequest.objects.filter(pk__in=wishes, status="in_progress")
        for pk in under_way.values_list("pk", flat=True):
            if chance.random() < 0.4:
                lifecycle.ask_cancel(pk, person=owner, now=timezone.now())
                wishes.discard(pk)
        return not FalRequest.objects.live().exists()

    wait_for(all_ended, seconds=60)
    loop.stop()
    truth = {record.id: record for record in at_sandbox._store.requests()}
    for row in FalRequest.objects.all():
        cancelled = truth[row.fal_request_id].reply.status_code == 499
        assert row.status == ("cancelled" if cancelled else "completed")
    assert len(wishes) < REAL  # some were asked to cancel


def short_work(team: Team, owner: User, chance: random.Random) -> FalRequest:
    """Half of it listens to a cancellation, half does not."""
    if chance.random() < 0.5:
        work = {"endpoint_id": "sandbox/patient", "input": {"seconds": chance.uniform(0.2, 1.5)}}
    else:
        step = {"steps": 1, "seconds_per_step": chance.uniform(0.05, 0.2)}
        work = {"endpoint_id": "sandbox/slow", "input": step}
    return make_request(team=team, person=owner, **work)
