"""Each way in which fal, or the way to it, can fail: what a page says, and that nothing is lost or sent twice."""

from __future__ import annotations

import gzip
import html as markup
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import FalClient, ReplyLimits
from requests_app.models import FalRequest, Status, Team
from requests_app.rules.paid_result import DENIALS_OF_RESULT, KEPT_AT_LEAST
from requests_app.worker import fal_connections
from requests_app.worker.looks import UNANSWERED_BEFORE_TOLD
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.conftest import QUICK
from tests.fal.peer import Peer, Step, drip, html, raw, reply, reset, says, then_close, truncated
from tests.fal.tls import untrusted
from tests.views.request_page import page
from tests.worker.conftest import PeerThread, at_peer

pytestmark = pytest.mark.django_db(transaction=True)

RECEIPT = says(200, {"request_id": "r-1", "status": "IN_QUEUE", "queue_position": 2})
RUNNING = says(202, {"status": "IN_PROGRESS"})
DONE = says(200, {"status": "COMPLETED"})
OUTPUT = says(200, {"text": "here"})
BOMB = reply(200, gzip.compress(b" " * 20_000_000), content_encoding="gzip")
HUGE = reply(200, b" " * 9_000_000)
HUGE_STATUS = reply(200, b" " * (ReplyLimits().status + 1))  # a status with its log may be larger
BOMB_STATUS = reply(200, gzip.compress(b" " * (ReplyLimits().status + 1)), content_encoding="gzip")
FAILED_ON_THE_WAY = "A server on the way to fal, or fal itself, failed"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, loop: Any) -> None:
    """Deadlines of half a second, and a breaker that never opens: it has tests of its own.

    A submit's counts from before its connection: on a busy machine less would end before it was sent.
    """
    timeouts = replace(QUICK, submit_s=2)
    monkeypatch.setattr(fal_connections, "FalClient", partial(FalClient, timeouts=timeouts))
    monkeypatch.setattr("requests_app.worker.breaker.FAILURES", 10_000)


def step(loop: Any, row: FalRequest, times: int = 1) -> FalRequest:
    """So many of its next steps, each due now unless it waits for nothing."""
    for _ in range(times):
        FalRequest.objects.filter(pk=row.pk).exclude(due_at=None).update(due_at=timezone.now())
        loop.run(advance(row.pk), timeout_s=20)
    return fresh(row)


def shown(client: Client, row: FalRequest) -> str:
    """The request's page as a person reads it."""
    return markup.unescape(page(client, row))


def posts(peer: PeerThread) -> int:
    return sum(request.method == "POST" for request in peer.requests)


# --- the submit -------------------------------------------------------------------------------------

NOT_SENT = {
    "DNS": ("http://nowhere.invalid", "the host name cannot be resolved"),
    "refused": ("http://127.0.0.1:1", "the connection was refused"),
    "TLS": ("", "no secure connection could be made"),
}


@pytest.fixture
def untrusted_url(peer: PeerThread, tmp_path: Path) -> Iterator[str]:
    """Where a certificate is shown that nobody has signed."""
    secure = Peer()
    peer.run(secure.start(tls=untrusted(tmp_path)))
    yield secure.url
    assert not secure.requests
    peer.run(secure.stop())


@pytest.mark.parametrize(("where", "sentence"), NOT_SENT.values(), ids=NOT_SENT)
def test_a_submit_that_cannot_leave_waits_and_is_sent_once_it_can(
    where: str, sentence: str, untrusted_url: str,
    loop: Any, peer: PeerThread, settings: Any, team: Team, owner: User, as_owner: Client,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner)
    settings.FAL_QUEUE_URL = where or untrusted_url
    row = step(loop, row, 2)
    assert (row.status, posts(peer)) == (Status.PENDING, 0)
    assert f"fal could not be reached: {sentence}." in shown(as_owner, row)
    assert "It was not sent, and is tried again." in shown(as_owner, row)
    settings.FAL_QUEUE_URL = f"{peer.url}/queue"
    peer.will(RECEIPT)
    assert step(loop, row).status == Status.IN_QUEUE
    assert posts(peer) == 1


UNKNOWN: dict[str, tuple[Step, str]] = {
    "reset before bytes": (reset, "the connection broke off"),
    "reset after bytes": (then_close(raw(b"HTTP/1.1 200 OK\r\ncontent-le")), "broke off"),
    "slow drip": (drip(b" " * 900, 0.02), "the time ran out"),
    "500": (says(500, {"detail": "x"}), f"{FAILED_ON_THE_WAY} (500)"),
    "502 HTML": (html(502), f"{FAILED_ON_THE_WAY} (502)"),
    "503": (says(503, {}, retry_after="9"), f"{FAILED_ON_THE_WAY} (503)"),
    "truncated": (truncated(200, b'{"request_id": "r-'), "the connection broke off"),
    "half a JSON": (reply(200, b'{"request_id": "r-'), "does not hold readable JSON"),
    "wrong type": (says(200, [1]), "does not hold readable JSON"),
    "wrong id": (says(200, {"request_id": 7}), "does not hold a usable request id"),
    "huge body": (HUGE, "The reply is larger than"),
    "gzip bomb": (BOMB, "The reply is larger than"),
    "redirect": (reply(307, b"", location="/queue/other"), "a redirect (307), which is never followed"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "sentence"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_submit_whose_answer_is_no_answer_is_uncertain_and_never_sent_again(
    fault: Step, sentence: str,
    loop: Any, peer: PeerThread, team: Team, owner: User, as_owner: Client,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner)
    peer.will(fault)
    row = step(loop, row)
    assert row.status == Status.UNCERTAIN
    told = shown(as_owner, row)
    assert sentence in told
    assert "It may be running, and it may be paid. It is never sent again by itself." in told
    lifecycle.resume(now=timezone.now(), alone=True)
    assert step(loop, row, 3).status == Status.UNCERTAIN
    assert posts(peer) == 1


@pytest.mark.parametrize(("header", "least_s"), [({}, 0.5), ({"retry_after": "30"}, 29)])
def test_a_submit_that_shall_wait_waits_as_long_as_fal_wants(
    header: dict[str, str], least_s: float,
    loop: Any, peer: PeerThread, team: Team, owner: User, as_owner: Client,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner)
    peer.will(says(429, {"detail": "slow down"}, **header), RECEIPT)
    before = timezone.now()
    row = step(loop, row)
    assert row.due_at and row.due_at >= before + timedelta(seconds=least_s)
    assert "fal asked us to wait: fal refused (429): slow down" in shown(as_owner, row)
    assert step(loop, row).status == Status.IN_QUEUE


@pytest.mark.parametrize(
    ("code", "title"),
    [(401, "did not accept the key"), (403, "refused this installation's account")],
)
def test_a_key_fal_refuses_is_the_operators_matter(
    code: int, title: str, loop: Any, peer: PeerThread, team: Team, owner: User, as_owner: Client
) -> None:
    row = make_request(team=team, person=owner)
    peer.will(says(code, {"detail": "no"}))
    told = shown(as_owner, step(loop, row))
    assert title in told
    assert "badge-failed" in told and "explanation-theirs" in told


# --- a look -----------------------------------------------------------------------------------------

UNANSWERED: dict[str, tuple[Step, str]] = {
    **{name: told for name, told in UNKNOWN.items() if name not in ("wrong id", "huge body", "gzip bomb")},
    "no status": (says(200, {"status": 7}), "does not hold a status"),
    "unknown status": (says(200, {"status": "PAUSED"}), "fal's status is 'PAUSED', which is new here"),
    "401": (says(401, {"detail": "bad key"}), "fal refused (401): bad key"),
    "429": (says(429, {"detail": "slow"}, retry_after="1"), "fal refused (429): slow"),
    "404": (says(404, {"detail": "Request not found"}), "fal says it does not know this request"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "sentence"), UNANSWERED.values(), ids=UNANSWERED)
def test_looks_that_fail_change_nothing_are_told_and_made_again(
    fault: Step, sentence: str,
    loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client,
) -> None:  # fmt: skip
    peer.will(*[fault] * UNANSWERED_BEFORE_TOLD * 2)  # aiohttp may repeat a read once
    row = step(loop, queued, UNANSWERED_BEFORE_TOLD)
    assert (row.status, row.due_at is None) == (Status.IN_QUEUE, False)
    assert sentence in shown(as_owner, row)
    peer.script.clear()
    peer.will(RUNNING, DONE, OUTPUT)
    row = step(loop, row, 2)
    assert row.status == Status.COMPLETED
    assert "fal answers again." in shown(as_owner, row)


@pytest.mark.parametrize("fault", [HUGE_STATUS, BOMB_STATUS])
def test_a_status_that_is_too_large_is_asked_for_without_its_logs(
    fault: Step, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(fault, RUNNING)
    assert step(loop, queued).status == Status.IN_PROGRESS


def test_a_status_that_goes_backwards_is_shown_and_told(
    loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client
) -> None:
    peer.will(
        RUNNING, says(202, {"status": "IN_QUEUE", "queue_position": 9}), RUNNING, DONE, OUTPUT
    )
    step(loop, queued)
    row = step(loop, queued)
    assert (row.status, row.queue_position) == (Status.IN_QUEUE, 9)
    assert "fal put it back into the queue." in shown(as_owner, row)
    assert step(loop, row, 2).status == Status.COMPLETED


# --- the result -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [reset, html(200), html(502), html(503), truncated(200, b"{"), drip(b" " * 900, 0.02),
     reply(302, b"", location="/x"), says(404, {"detail": "Request not found"}),
     says(400, {"detail": "Request is still in progress"})],
)  # fmt: skip
def test_a_result_is_asked_for_at_once_and_again_until_it_comes(
    fault: Step, loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(DONE, fault, *[DONE, OUTPUT] if fault is not reset else [reset, DONE, OUTPUT])
    row = step(loop, queued)
    assert row.finished_at and row.status == Status.IN_PROGRESS
    assert [request.path[-6:] == "status" for request in peer.requests][:2] == [True, False]
    row = step(loop, row, 1)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, b'{"text": "here"}')


@pytest.mark.parametrize("code", [404, 410])
def test_a_result_that_is_gone_is_said_to_have_been_asked_for_too_late(
    code: int, loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client
) -> None:
    peer.will(*[DONE, says(code, {"detail": "Request not found"})] * (DENIALS_OF_RESULT + 1))
    row = step(loop, queued, DENIALS_OF_RESULT)
    assert not row.is_ended
    FalRequest.objects.filter(pk=row.pk).update(finished_at=timezone.now() - KEPT_AT_LEAST)
    row = step(loop, row)
    assert (row.status, row.error_type) == (Status.FAILED, "result_expired")
    told = shown(as_owner, row)
    assert "fal finished it but no longer keeps the result: it was asked for too late." in told
    assert "badge-failed" in told


@pytest.mark.parametrize("fault", [BOMB, HUGE])
def test_a_result_over_the_limit_is_said_to_be_too_large(
    fault: Step, loop: Any, peer: PeerThread, queued: FalRequest, as_owner: Client, settings: Any
) -> None:
    settings.OUTPUT_LIMIT_BYTES = 1_000_000
    peer.will(DONE, fault)
    row = step(loop, queued)
    assert (row.status, row.error_type) == (Status.FAILED, "output_too_large")
    assert "The reply is larger than 1000000 bytes" in shown(as_owner, row)


# --- the clock --------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_wrong_loses_and_repeats_nothing(
    minutes: int, loop: Any, peer: PeerThread, team: Team, owner: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """It jumps while fal has the request, as when it is set right."""
    row = make_request(team=team, person=owner)
    peer.will(RECEIPT)
    step(loop, row)
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(minutes=minutes))
    at_peer(peer, fresh(row))
    peer.will(RUNNING, DONE, OUTPUT)
    row = step(loop, row, 2)
    assert row.status == Status.COMPLETED
    assert posts(peer) == 1
