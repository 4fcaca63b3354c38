"""The status stream of a request that somebody looks at."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.keys import environment_key
from requests_app.models import FalRequest, Source, Status, Team
from requests_app.worker import status_stream
from requests_app.worker.looks import urls_of
from requests_app.worker.steps import advance
from tests.builders import fresh, hear, make_queued, make_result
from tests.fal.peer import events, says
from tests.worker.conftest import PeerThread, at_peer, look, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queued(peer: PeerThread, team: Team, owner: User) -> FalRequest:
    row = at_peer(peer, make_queued(team=team, person=owner))
    later = timezone.now() + timedelta(minutes=1)
    FalRequest.objects.filter(pk=row.pk).update(watched_until=later)
    return fresh(row)


def sse(*reports: dict[str, Any]) -> list[bytes]:
    return [f"data: {json.dumps(report)}\n\n".encode() for report in reports]


def follow_once(loop: Any, row: FalRequest) -> None:
    async def begun() -> None:
        status_stream.begin(row.pk, urls_of(row), environment_key())

    loop.run(begun())


def is_quiet() -> bool:
    return not status_stream._followed


def test_news_of_the_stream_moves_the_row_and_says_where_it_is_from(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(events(*sse({"status": "IN_PROGRESS"}), wait=asyncio.Event()))
    follow_once(loop, queued)
    wait_for(lambda: fresh(queued).status == Status.IN_PROGRESS)
    assert queued.observations.last().source == Source.STATUS_STREAM  # type: ignore[union-attr]


def test_log_lines_of_the_stream_are_stored_before_the_next_poll(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    later = timezone.now() + timedelta(minutes=1)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=later)
    line = {"message": "step 1 of 8", "level": "INFO", "timestamp": "2026-01-02T03:04:05.678"}
    reports = sse(
        {"status": "IN_PROGRESS", "logs": [line]}, {"status": "IN_PROGRESS", "logs": [line]}
    )
    peer.will(events(*reports, wait=asyncio.Event()))
    follow_once(loop, queued)
    wait_for(lambda: queued.log_lines.exists())
    [asked] = peer.requests
    assert (asked.path.endswith("/status/stream"), asked.query["logs"]) == (True, "1")
    assert [line.message for line in queued.log_lines.all()] == ["step 1 of 8"]
    assert fresh(queued).due_at == later


def test_completion_makes_the_row_due_so_that_its_result_is_fetched(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    later = timezone.now() + timedelta(minutes=1)
    FalRequest.objects.filter(pk=queued.pk).update(due_at=later)
    peer.will(events(*sse({"status": "COMPLETED"})))
    follow_once(loop, queued)
    wait_for(is_quiet)
    row = fresh(queued)
    assert row.finished_at is not None
    assert row.due_at is not None and row.due_at <= timezone.now()
    peer.will(says(200, {"status": "COMPLETED"}), says(200, {"text": "done"}))
    loop.run(advance(row.pk))
    assert fresh(row).status == Status.COMPLETED


def test_only_a_watched_row_at_fal_is_followed_and_only_once(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    assert status_stream.is_wanted(queued)
    peer.will(events(*sse({"status": "IN_PROGRESS"}), wait=asyncio.Event()))
    follow_once(loop, queued)
    wait_for(lambda: fresh(queued).status == Status.IN_PROGRESS)
    assert not status_stream.is_wanted(fresh(queued))
    loop.stop(drain_s=0)
    assert status_stream.is_wanted(fresh(queued))
    FalRequest.objects.filter(pk=queued.pk).update(watched_until=None)
    assert not status_stream.is_wanted(fresh(queued))


def test_an_ended_row_is_not_followed(queued: FalRequest) -> None:
    hear(queued, make_result())
    assert not status_stream.is_wanted(fresh(queued))


@pytest.mark.parametrize("answer", [says(404, {"detail": "Request not found"}), events(b"data: {")])
def test_a_stream_that_fails_changes_nothing_and_may_be_tried_again(
    answer: Any, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(answer)
    follow_once(loop, queued)
    wait_for(lambda: peer.requests and is_quiet())
    assert fresh(queued).status == Status.IN_QUEUE
    assert status_stream.is_wanted(queued)


@pytest.mark.parametrize(
    "error",
    [OverflowError("x"), KeyError("k"), RecursionError("z")],
    ids=lambda e: type(e).__name__,
)
def test_news_that_cannot_be_stored_end_the_stream_in_one_line_and_the_row_is_polled_on(
    loop: Any, peer: PeerThread, queued: FalRequest, error: Exception,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def faulty(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(status_stream, "_broken", set())
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "observe", faulty)
        peer.will(events(*sse(*[{"status": "IN_PROGRESS"}] * 3), wait=asyncio.Event()))
        follow_once(loop, queued)
        wait_for(lambda: peer.requests and is_quiet())
    told = [line for line in caplog.records if line.levelno >= logging.WARNING]
    assert [type(error).__name__ in line.message and line.exc_info is None for line in told] == [
        True
    ]
    assert not status_stream.is_wanted(fresh(queued))  # it would fail again
    assert (fresh(queued).status, fresh(queued).tries) == (Status.IN_QUEUE, 0)
    peer.will(says(200, {"status": "COMPLETED"}), says(200, {"text": "done"}))
    assert look(loop, queued).status == Status.COMPLETED


def test_a_stream_whose_news_met_a_database_that_was_away_may_be_tried_again(
    loop: Any, peer: PeerThread, queued: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(lifecycle, "observe", away)
    peer.will(events(*sse({"status": "IN_PROGRESS"}), wait=asyncio.Event()))
    follow_once(loop, queued)
    wait_for(lambda: peer.requests and is_quiet())
    assert status_stream.is_wanted(fresh(queued))


def test_there_is_a_limit_to_the_streams_held_at_once(
    loop: Any, peer: PeerThread, queued: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_stream, "AT_MOST", 0)
    follow_once(loop, queued)
    loop.stop()
    assert peer.requests == []


def test_a_follower_that_is_cut_before_it_began_is_forgotten(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    async def cut_at_once() -> None:
        status_stream.begin(queued.pk, urls_of(queued), environment_key())
        for task in set(loop._tasks):
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    loop.run(cut_at_once())
    assert status_stream.is_wanted(queued)


def test_a_request_that_is_followed_no_more_gives_its_place_back(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(events(*sse({"status": "IN_PROGRESS"}), wait=asyncio.Event()))
    follow_once(loop, queued)
    wait_for(lambda: fresh(queued).status == Status.IN_PROGRESS)

    async def end() -> None:
        status_stream.end_unwanted(fresh_row)

    fresh_row = fresh(queued)
    loop.run(end())
    assert not is_quiet()  # it is followed
    fresh_row.watched_until = timezone.now() - timedelta(seconds=1)
    loop.run(end())
    wait_for(is_quiet)
