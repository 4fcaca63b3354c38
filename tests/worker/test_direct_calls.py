"""Run and stream: one call, held to its end, recorded, and hung up only for a reason."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.display.explain import explain
from requests_app.models import FalRequest, Status, Team
from requests_app.worker import leases
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.peer import events, hang, raw, reset, says
from tests.worker.conftest import PeerThread, ended, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]


def sse(*values: Any) -> list[bytes]:
    return [f"data: {json.dumps(value)}\n\n".encode() for value in values]


@pytest.fixture
def run(team: Team, owner: User) -> FalRequest:
    return make_request(team=team, person=owner, mode="run")


@pytest.fixture
def stream(team: Team, owner: User) -> FalRequest:
    return make_request(team=team, person=owner, mode="stream")


@pytest.fixture
def quick_keeper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)


def step(loop: Any, row: FalRequest) -> None:
    """Take its step to the end."""
    loop.run(advance(row.pk), timeout_s=20)


def begin(loop: Any, row: FalRequest) -> None:
    """Take its step and leave it under way."""
    loop.spawn(advance(row.pk))


def test_a_run_sends_once_and_stores_the_answer(
    loop: Any, peer: PeerThread, run: FalRequest
) -> None:
    peer.will(says(200, {"text": "hello"}))
    step(loop, run)
    row = fresh(run)
    assert (row.status, json.loads(bytes(row.output or b""))) == ("completed", {"text": "hello"})
    assert row.started_at and row.ended_at
    assert [received.method for received in peer.requests] == ["POST"]


def test_a_models_error_fails_the_run_with_its_words(
    loop: Any, peer: PeerThread, run: FalRequest
) -> None:
    peer.will(says(500, {"detail": "out of memory"}, x_fal_request_id="r-1"))
    step(loop, run)
    row = fresh(run)
    assert (row.status, row.error_code, row.error) == ("failed", 500, "out of memory")


def test_a_run_that_could_not_reach_fal_is_sent_later_and_is_not_called_interrupted(
    loop: Any, settings: Any, run: FalRequest
) -> None:
    settings.FAL_RUN_URL = "http://127.0.0.1:1/run"
    step(loop, run)
    row = fresh(run)
    assert (row.status, row.tries, row.started_at, row.lease) == (Status.PENDING, 1, None, None)
    assert row.due_at and row.due_at > timezone.now()


def test_a_cut_run_is_interrupted_and_never_sent_again(
    loop: Any, peer: PeerThread, run: FalRequest
) -> None:
    peer.will(reset)
    step(loop, run)
    row = fresh(run)
    assert (row.status, row.error_type) == (Status.FAILED, "interrupted")
    assert "may be billed" in row.error
    assert len(peer.requests) == 1


@pytest.mark.slow
def test_a_run_without_an_answer_is_hung_up_at_its_own_time_limit(
    loop: Any, peer: PeerThread, settings: Any, run: FalRequest
) -> None:
    settings.RUN_TIMEOUT_S = 1
    peer.will(hang)
    step(loop, run)
    row = fresh(run)
    assert (row.status, row.error_type) == (Status.FAILED, "hung_up")
    assert "No end within 1 s" in row.error
    told = explain(row, b"")
    assert told and "longer than this site waits" in told.title
    assert "Nothing of the result came" in told.advice
    assert "RUN_TIMEOUT" in told.advice


def test_a_run_with_a_result_over_the_limit_says_so(
    loop: Any, peer: PeerThread, settings: Any, run: FalRequest
) -> None:
    settings.OUTPUT_LIMIT_BYTES = 100
    peer.will(says(200, {"text": "x" * 200}))
    step(loop, run)
    row = fresh(run)
    assert (row.status, row.error_type) == (Status.FAILED, "output_too_large")
    assert "larger than 100 bytes" in row.error
    told = explain(row, b"")
    assert told and "OUTPUT_LIMIT" in told.advice


@pytest.mark.parametrize("mode", ["run", "stream"])
@pytest.mark.parametrize("code", [301, 307, 308])
def test_a_redirect_is_named_and_neither_followed_nor_called_a_break(
    loop: Any, peer: PeerThread, team: Team, owner: User, mode: str, code: int
) -> None:
    row = make_request(team=team, person=owner, mode=mode)
    peer.will(says(code, {}, location=f"{peer.url}/elsewhere"))
    step(loop, row)
    row = fresh(row)
    assert (row.status, row.error_type) == (Status.FAILED, "redirected")
    assert f"redirect ({code})" in row.error
    assert "billed" not in row.error
    assert len(peer.requests) == 1
    explained = explain(row, b"")
    assert explained
    assert explained.title == "The address leads elsewhere"
    assert "billed" not in explained.advice


def test_a_stream_that_is_cut_keeps_what_came(
    loop: Any, peer: PeerThread, stream: FalRequest
) -> None:
    peer.will(events(*sse({"n": 1}, {"n": 2}), end=False))
    step(loop, stream)
    row = fresh(stream)
    assert (row.status, row.error_type) == (Status.FAILED, "interrupted")
    assert [json.loads(frame.data) for frame in row.frames.all()] == [{"n": 1}, {"n": 2}]


def test_a_refused_stream_fails_and_leaves_nothing_running(
    loop: Any, peer: PeerThread, stream: FalRequest
) -> None:
    peer.will(says(403, {"detail": "User is locked. Reason: Exhausted balance."}))
    step(loop, stream)
    assert fresh(stream).error_code == 403

    async def coroutines() -> list[str]:
        return [str(task.get_coro()) for task in asyncio.all_tasks()]

    assert not [name for name in loop.run(coroutines()) if "Recorder" in name]


@pytest.mark.slow
def test_a_stream_without_an_end_is_hung_up_at_the_time_limit(
    loop: Any, peer: PeerThread, settings: Any, stream: FalRequest
) -> None:
    settings.STREAM_TIMEOUT_S = 2
    peer.will(events(*sse({"n": 1}), wait=asyncio.Event()))
    step(loop, stream)
    row = fresh(stream)
    assert (row.status, row.error_type, row.frames.count()) == (Status.FAILED, "hung_up", 1)
    assert "No end within 2 s" in row.error


def test_a_wish_to_cancel_hangs_up_and_every_frame_until_then_is_kept(
    loop: Any, peer: PeerThread, stream: FalRequest, owner: User, quick_keeper: None
) -> None:
    peer.will(events(*sse(*range(50)), wait=asyncio.Event()))
    begin(loop, stream)
    wait_for(lambda: stream.frames.exists())
    lifecycle.ask_cancel(stream.pk, person=owner, now=timezone.now())
    wait_for(lambda: fresh(stream).is_ended)
    row = fresh(stream)
    assert row.status == Status.CANCELLED
    numbers = list(row.frames.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    loop.stop()
    assert row.frames.count() == len(numbers)  # nothing was written after the end


def test_a_run_under_way_is_cancelled_by_hanging_up(
    loop: Any, peer: PeerThread, run: FalRequest, owner: User, quick_keeper: None
) -> None:
    peer.will(hang)
    begin(loop, run)
    wait_for(lambda: peer.requests)
    lifecycle.ask_cancel(run.pk, person=owner, now=timezone.now())
    wait_for(lambda: fresh(run).is_ended)
    assert fresh(run).status == Status.CANCELLED


def test_a_database_that_is_away_does_not_hang_up_on_paid_work(
    loop: Any,
    peer: PeerThread,
    run: FalRequest,
    quick_keeper: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = asyncio.Event()
    failures: list[int] = []

    def locked(*args: Any, **kwargs: Any) -> Any:
        failures.append(1)
        raise OperationalError("database is locked")

    async def later(writer: asyncio.StreamWriter) -> None:
        await answer.wait()
        await says(200, {"text": "done"})(writer)

    monkeypatch.setattr(lifecycle, "renew_leases", locked)
    peer.will(later)
    begin(loop, run)
    wait_for(lambda: len(failures) > 2)
    peer.release(answer)
    wait_for(lambda: fresh(run).is_ended)
    assert fresh(run).status == Status.COMPLETED


def test_a_lease_that_ran_out_is_no_reason_to_end_a_call_this_process_still_holds(
    loop: Any, peer: PeerThread, stream: FalRequest, until: Until
) -> None:
    go_on = asyncio.Event()
    peer.will(events(*sse({"n": 1}), wait=go_on))
    begin(loop, stream)
    wait_for(lambda: stream.frames.exists())
    long_ago = timezone.now() - timedelta(minutes=1)
    FalRequest.objects.filter(pk=stream.pk).update(leased_until=long_ago, due_at=long_ago)
    loop.run(advance(stream.pk))
    assert fresh(stream).status == Status.IN_PROGRESS
    peer.release(go_on)
    assert until(stream, ended).status == Status.COMPLETED


def test_a_row_that_somebody_else_ended_is_hung_up(
    loop: Any, peer: PeerThread, stream: FalRequest, quick_keeper: None
) -> None:
    peer.will(events(*sse({"n": 1}), wait=asyncio.Event()))
    begin(loop, stream)
    wait_for(lambda: stream.frames.exists())
    later = timezone.now() + timedelta(minutes=5)
    lifecycle.expire_lease(stream.pk, now=later)
    wait_for(lambda: loop.run(_is_quiet(stream.pk)))
    kinds = list(stream.observations.values_list("kind", flat=True))
    assert "contradiction" not in kinds
    assert fresh(stream).error_type == "interrupted"


async def _is_quiet(pk: int) -> bool:
    return not leases.is_held_here(pk)


def test_the_end_of_the_process_hangs_up_with_every_frame_on_disk(
    loop: Any, peer: PeerThread, stream: FalRequest
) -> None:
    sent = asyncio.Event()

    async def ten_then_wait(writer: asyncio.StreamWriter) -> None:
        await raw(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n\r\n")(writer)
        await raw(b"".join(sse(*range(10))))(writer)
        sent.set()
        await hang(writer)

    peer.will(ten_then_wait)
    begin(loop, stream)
    wait_for(sent.is_set)
    wait_for(lambda: fresh(stream).status == Status.IN_PROGRESS)
    wait_for(stream.frames.exists)  # the ten were heard in one piece
    loop.stop(drain_s=0)
    assert stream.frames.count() == 10
    assert fresh(stream).status == Status.IN_PROGRESS  # the next start says "interrupted"
    lifecycle.resume(now=timezone.now(), alone=True)
    loop.run(advance(stream.pk))
    assert fresh(stream).error_type == "interrupted"


@pytest.mark.slow
def test_an_answer_that_waits_for_the_database_is_not_cut_off_by_a_cancel(
    loop: Any,
    peer: PeerThread,
    run: FalRequest,
    owner: User,
    quick_keeper: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer is larger than what is held in memory: its file is closed with the call."""
    text = "x" * (9 * 1024 * 1024)
    observe, renew = lifecycle.observe, lifecycle.renew_leases
    is_begun, is_wish_heard = threading.Event(), threading.Event()

    def observe_later(*args: Any, **kwargs: Any) -> Any:
        is_begun.set()
        if not is_wish_heard.is_set():
            raise OperationalError("the database is away")
        return observe(*args, **kwargs)

    def renew_and_tell(*args: Any, **kwargs: Any) -> Any:
        wishes = renew(*args, **kwargs)
        if any(wishes.values()):
            is_wish_heard.set()
        return wishes

    monkeypatch.setattr(lifecycle, "observe", observe_later)
    monkeypatch.setattr(lifecycle, "renew_leases", renew_and_tell)
    peer.will(says(200, {"text": text}))
    begin(loop, run)
    wait_for(is_begun.is_set)
    lifecycle.ask_cancel(run.pk, person=owner, now=timezone.now())
    wait_for(lambda: fresh(run).is_ended)
    row = fresh(run)
    assert (row.status, row.output_size) == (Status.COMPLETED, len(text) + len('{"text": ""}'))


# --- against a server that speaks fal's protocol ---------------------------------------------------


def test_a_run_is_recorded_with_its_result(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team,
        person=owner,
        mode="run",
        endpoint_id="sandbox/image",
        input={"prompt": "a lake", "seed": 5},
    )
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    assert row.thumbnail_url.startswith(at_sandbox.url)


def test_a_stream_is_recorded_event_by_event(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, mode="stream", endpoint_id="sandbox/text",
        input={"prompt": "a story", "words": 12, "delay_s": 0.01},
    )  # fmt: skip
    row = until(row, ended)
    assert row.status == Status.COMPLETED
    numbers = list(row.frames.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 10
    assert bytes(row.output or b"").decode() == row.frames.last().data  # type: ignore[union-attr]


@pytest.mark.slow
def test_stopping_a_stream_hangs_up_and_says_so(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    row = make_request(
        team=team, person=owner, mode="stream", endpoint_id="sandbox/text",
        input={"prompt": "a story", "words": 500, "delay_s": 0.1},
    )  # fmt: skip
    row = until(row, lambda row: row.frames.exists())
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    row = until(row, ended)
    assert row.status == Status.CANCELLED
    assert row.frames.count() < 100
