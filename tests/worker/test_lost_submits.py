"""An uncertain row is looked for in fal's list, over real sockets, until it is found or a day is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Source, Status, Team
from requests_app.upkeep.health import requests as told_by_readyz
from requests_app.upkeep.metrics import FAILED_LOOKS
from requests_app.worker.lost_submits import look_for
from requests_app.worker.steps import advance
from requests_app.worker.sweep import _due, sweep
from tests.builders import fresh, hear, make_queued, make_request, make_webhook
from tests.fal.peer import html, says
from tests.worker.conftest import PeerThread, at_peer, ended, look, submits, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Until = Callable[..., FalRequest]


def uncertain(row: FalRequest) -> bool:
    return row.status == Status.UNCERTAIN


@pytest.mark.slow
def test_a_request_whose_answer_was_lost_is_found_and_its_result_fetched(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="drop_reply_after_accepting")
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/echo",
        input={"message": "é\u2028😀", "delay_s": 0.1, "number": 1.0},
    )  # fmt: skip
    until(row, uncertain)
    row = until(row, ended)
    assert (row.status, bool(row.fal_request_id)) == (Status.COMPLETED, True)
    assert submits(at_sandbox, row) == 1
    told = row.observations.order_by("id").values_list("kind", "source")
    assert ("found", Source.LIST) in told
    assert [kind for kind, _ in told].count("sent") == 1


@pytest.mark.slow
def test_a_wish_to_cancel_is_told_once_the_request_is_found(
    at_sandbox: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="drop_reply_after_accepting")
    row = make_request(
        team=team, person=owner, endpoint_id="sandbox/image", input={"prompt": "a wish", "seed": 5}
    )
    row = until(row, uncertain)
    lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    row = until(row, ended)
    assert (row.status, row.cancel_answer) == (Status.COMPLETED, "already_completed")


@pytest.mark.slow
def test_two_alike_whose_answers_were_lost_both_stay_uncertain(
    at_sandbox: Any, loop: Any, team: Team, owner: User, until: Until
) -> None:
    at_sandbox.faults.add(when="submit", do="drop_reply_after_accepting", times=2)
    rows = [
        make_request(
            team=team, person=owner, endpoint_id="sandbox/echo", input={"message": "alike"}
        )
        for _ in range(2)
    ]
    for row in rows:
        until(row, lambda row: row.observations.filter(kind="list_unclear").exists())
        assert uncertain(look(loop, row))


# --- a scripted list ------------------------------------------------------------------------------


@pytest.fixture
def lost(peer: PeerThread, settings: Any, team: Team, owner: User) -> FalRequest:
    """A row that is looked for in the peer's list."""
    settings.FAL_API_URL = f"{peer.url}/api"
    row = make_request(team=team, person=owner, input={"prompt": "a lake"})
    lifecycle.start_attempt(row.pk, now=timezone.now())
    lifecycle.mark_uncertain(row.pk, "the line went dead", now=timezone.now())
    return fresh(row)


def page(*items: dict[str, Any]) -> Any:
    return says(200, {"items": list(items), "next_cursor": None})


def wait_s(row: FalRequest) -> float:
    assert row.due_at
    return (row.due_at - timezone.now()).total_seconds()


def aged(row: FalRequest, **age: float) -> FalRequest:
    FalRequest.objects.filter(pk=row.pk).update(sent_at=timezone.now() - timedelta(**age))
    return fresh(row)


ITEM = {"request_id": "r-1", "endpoint_id": "acme/img", "json_input": {"prompt": "a lake"}}


def test_a_list_without_it_is_looked_at_again_and_nothing_but_get_is_sent(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    peer.will(page({**ITEM, "json_input": {"prompt": "a sea"}}), page())
    for _ in range(2):
        row = look(loop, lost)
        assert uncertain(row)
        assert 0 < wait_s(row) <= 30
        assert (row.lease, row.tries) == (None, 0)
    assert {received.method for received in peer.requests} == {"GET"}
    assert lost.observations.filter(source=Source.LIST).count() == 0


def test_it_asks_for_the_time_since_a_little_before_the_submit(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    lost = aged(lost, hours=2)
    peer.will(page())
    look(loop, lost)
    [request] = peer.requests
    assert lost.sent_at
    start = (lost.sent_at - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    assert request.query["start"] == start.replace("+00:00", "Z")
    assert request.query["endpoint_id"] == "acme/img"


@pytest.mark.parametrize(("age", "wait"), [({"minutes": 20}, 300), ({"seconds": 100}, 30)])
def test_the_longer_it_is_gone_the_more_seldom(
    loop: Any, peer: PeerThread, lost: FalRequest, age: dict[str, float], wait: float
) -> None:
    peer.will(page())
    assert wait_s(look(loop, aged(lost, **age))) == pytest.approx(wait, abs=5)


def test_after_a_day_the_last_look_was_the_last(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    peer.will(page())
    row = look(loop, aged(lost, hours=25))
    assert (row.status, row.due_at) == (Status.UNCERTAIN, None)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_without_the_right_is_told_once_and_asked_seldom(
    loop: Any, peer: PeerThread, lost: FalRequest, status: int
) -> None:
    refusal = says(status, {"error": {"type": "authorization_error", "message": "not you"}})
    peer.will(refusal, refusal)
    for _ in range(2):
        row = look(loop, lost)
        assert wait_s(row) == pytest.approx(3600, abs=10)
    [seen] = lost.observations.filter(source=Source.LIST)
    assert (seen.kind, seen.data) == ("list_refused", {"code": status})
    assert "not you" in seen.note


def test_a_list_that_is_away_is_told_after_a_while_and_asked_on(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    peer.will(*[html(502)] * 4, page())
    for told in ([], [], ["list_unanswered"], ["list_unanswered"]):
        row = look(loop, lost)
        assert 0 < wait_s(row) <= 30
        heard = lost.observations.filter(source=Source.LIST)
        assert list(heard.values_list("kind", flat=True)) == told
    look(loop, lost)
    assert lost.observations.filter(kind="list_read").count() == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(html(502), "unanswered"), (says(403, {}), "refused"), (page({}), "exception")],
)
def test_a_search_that_fails_again_and_again_is_counted_and_told(
    loop: Any, peer: PeerThread, lost: FalRequest, answer: Any, cause: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if cause == "exception":
        monkeypatch.setattr(lifecycle, "match_lost_submit", lambda *_, **__: 1 / 0)
    counted = FAILED_LOOKS.labels(cause)._value
    before = counted.get()
    peer.will(*[answer] * 3)
    for expected in ("", "", "1 request cannot go on"):
        look(loop, lost)
        assert told_by_readyz().startswith(expected)
        assert bool(told_by_readyz()) == bool(expected)
    assert counted.get() - before == 3


def test_fals_wish_that_we_wait_is_obeyed(loop: Any, peer: PeerThread, lost: FalRequest) -> None:
    peer.will(says(429, {"error": {"message": "slower"}}, retry_after="120"))
    assert wait_s(look(loop, lost)) == pytest.approx(120, abs=5)


def test_it_may_be_given_up_while_the_list_is_read(
    loop: Any, peer: PeerThread, lost: FalRequest, owner: User
) -> None:
    go = asyncio.Event()
    peer.will(held(go, page(ITEM)))
    begun = begin(loop, lost, peer)
    lifecycle.give_up(lost.pk, person=owner, now=timezone.now())
    peer.release(go)
    begun()
    row = fresh(lost)
    assert (row.status, row.error_type) == (Status.FAILED, "given_up")
    assert row.fal_request_id == ITEM["request_id"]


def test_a_webhook_while_the_list_is_read_keeps_its_look_for_logs(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    go = asyncio.Event()
    peer.will(held(go, page(ITEM)))
    begun = begin(loop, lost, peer)
    hear(lost, make_webhook("r-1"), source=Source.WEBHOOK)
    peer.release(go)
    begun()
    row = fresh(lost)
    assert (row.status, row.fal_request_id) == (Status.COMPLETED, "r-1")
    assert row.due_at and row.due_at <= timezone.now()


def held(go: asyncio.Event, answer: Any) -> Any:
    """The answer, once it is let go."""

    async def step(writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await answer(writer)

    return step


def begin(loop: Any, row: FalRequest, peer: PeerThread) -> Callable[[], object]:
    """A look that has reached the peer; call it to wait for its end."""
    FalRequest.objects.filter(pk=row.pk).update(due_at=timezone.now())
    future = loop._submit(advance(row.pk))
    wait_for(lambda: peer.requests)
    return lambda: future.result(20)


def test_what_is_found_is_due_at_once_also_when_the_wish_for_it_was_lost(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    """A webhook without a payload moves the row, and its look is over, before we give it back."""
    go = asyncio.Event()
    peer.will(held(go, page()))
    begun = begin(loop, lost, peer)
    hear(lost, make_webhook("r-1", payload_bytes=None), source=Source.WEBHOOK)
    FalRequest.objects.filter(pk=lost.pk).update(due_at=F("leased_until"))
    peer.release(go)
    begun()
    row = fresh(lost)
    assert row.status == Status.IN_PROGRESS
    assert row.due_at and row.due_at <= timezone.now()


def test_a_row_that_was_found_meanwhile_is_not_looked_for(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    stale = fresh(lost)  # as the sweep has seen it
    hear(lost, make_webhook("r-1", payload_bytes=None), source=Source.WEBHOOK)
    loop.run(look_for(stale))
    assert peer.requests == []
    assert fresh(lost).lease is None


def test_two_workers_never_look_for_the_same_row_at_once(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    go = asyncio.Event()
    peer.will(held(go, page()))
    begun = begin(loop, lost, peer)
    row = fresh(lost)
    assert row.lease
    loop.run(advance(row.pk))  # the second finds it held, and not due
    peer.release(go)
    begun()
    assert len(peer.requests) == 1


def test_a_look_whose_process_died_is_made_again_when_the_lease_is_over(
    loop: Any, peer: PeerThread, lost: FalRequest
) -> None:
    long_ago = timezone.now() - timedelta(minutes=1)
    FalRequest.objects.filter(pk=lost.pk).update(due_at=long_ago)
    assert FalRequest.objects.take_lease(lost.pk, long_ago, lifecycle.LEASE)
    peer.will(page())
    loop.run(sweep())
    wait_for(lambda: fresh(lost).lease is None)
    assert len(peer.requests) == 1


def test_while_fals_queue_is_away_the_list_is_read_all_the_same(
    peer: PeerThread, lost: FalRequest, team: Team, owner: User
) -> None:
    for name in ("r-8", "r-9"):  # of these one is enough to ask whether the queue is back
        at_peer(peer, make_queued(name, team=team, person=owner, input={"a": name}))
    FalRequest.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    begun = _due(timezone.now(), is_shut=True)
    assert lost in begun
    assert len(begun) == 2
