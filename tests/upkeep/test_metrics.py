"""The figures follow what happens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from requests_app.fal import NotSent
from requests_app.models import FalRequest, Heartbeat, Status, Team
from requests_app.record.recorder import Recorder
from requests_app.upkeep.metrics import REGISTRY, RELAYED, exposition
from requests_app.worker.breaker import FAILURES, Breaker
from requests_app.worker.steps import advance
from tests.builders import hear, make_queued, make_request, make_result
from tests.fal.peer import says
from tests.worker.conftest import PeerThread, at_peer, loop, peer  # noqa: F401

pytestmark = pytest.mark.django_db


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"faldeck_{name}", labels)


def test_requests_are_counted_by_status_and_every_status_is_there(team: Team, owner: User) -> None:
    hear(make_queued("r-1", team=team, person=owner), make_result())
    make_request(team=team, person=owner)
    make_request(team=team, person=owner)
    found = {status: figure("requests", status=status) for status in Status.values}
    assert found == dict.fromkeys(Status.values, 0) | {"completed": 1, "pending": 2}


def test_the_lag_is_the_age_of_the_oldest_due_step_that_nobody_is_at(
    team: Team, owner: User
) -> None:
    assert figure("sweep_lag_seconds") == 0
    row = make_request(team=team, person=owner)
    FalRequest.objects.update(due_at=timezone.now() - timedelta(seconds=40))
    assert 40 <= (figure("sweep_lag_seconds") or 0) < 45
    FalRequest.objects.take_lease(row.pk, timezone.now(), timedelta(minutes=1))
    assert figure("sweep_lag_seconds") == 0


def test_the_age_of_the_sweep_is_missing_until_a_worker_has_swept() -> None:
    assert figure("sweep_age_seconds") is None
    Heartbeat.objects.create(part="sweep", at=timezone.now() - timedelta(seconds=7))
    assert 7 <= (figure("sweep_age_seconds") or 0) < 12


def test_a_database_that_is_away_leaves_the_other_figures() -> None:
    def away(*_: object) -> None:
        raise OperationalError

    with connection.execute_wrapper(away):
        text = exposition().decode()
    assert "faldeck_requests{" not in text
    assert "faldeck_fal_away" in text


def test_an_open_breaker_shows_until_it_closes() -> None:
    breaker = Breaker("x")
    for _ in range(FAILURES):
        with pytest.raises(NotSent), breaker.listening():
            raise NotSent("refused")
    assert figure("fal_away") == 1
    with breaker.listening():
        pass
    assert figure("fal_away") == 0


async def test_bytes_are_counted_each_way() -> None:
    async def nowhere(*_: Any, **__: Any) -> None: ...

    before = relayed()
    recorder = Recorder(1, nowhere)
    recorder.add("héllo", 6)
    recorder.add("x", 10, direction="out")
    recorder.add("y", 100, direction="out")
    await recorder.close()
    assert [b - a for a, b in zip(before, relayed(), strict=True)] == [6, 110]


def relayed() -> list[float]:
    """Without the registry, which would ask the database on this loop."""
    return [RELAYED.labels(way)._value.get() for way in ("in", "out")]


@pytest.mark.django_db(transaction=True)
def test_steps_are_timed_by_what_they_were(
    loop: Any,  # noqa: F811
    peer: PeerThread,  # noqa: F811
    team: Team,
    owner: User,
) -> None:
    before = {step: figure("step_seconds_count", step=step) or 0 for step in ("submit", "look")}
    queued = at_peer(peer, make_queued(team=team, person=owner))
    peer.will(says(202, {"status": "IN_PROGRESS"}), says(200, {"request_id": "r-2"}))
    loop.run(advance(queued.pk))
    assert figure("step_seconds_count", step="look") == before["look"] + 1
    loop.run(advance(make_request(team=team, person=owner).pk))
    assert figure("step_seconds_count", step="submit") == before["submit"] + 1
