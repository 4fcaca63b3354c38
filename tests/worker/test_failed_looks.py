"""A look that fails: backed off, told, in one line of the log, and bounded; the output is had all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import BadReply, NotSent, Refused, Unanswered
from requests_app.fal.reports import Receipt, Result, StatusReport
from requests_app.models import ErrorType, FalRequest, Mode, Status, Team
from requests_app.upkeep.health import requests as told_by_readyz
from requests_app.upkeep.metrics import exposition
from requests_app.worker import failed_looks
from requests_app.worker.failed_looks import MOST_UNANSWERED, Failure, is_hopeless, of_fal
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.peer import html, reply, says
from tests.views.request_page import page
from tests.worker.conftest import PeerThread, look

pytestmark = pytest.mark.django_db(transaction=True)

RUNNING = says(202, {"status": "IN_PROGRESS"})
DONE = says(200, {"status": "COMPLETED"})
OUTPUT = says(200, {"text": "here"})
STILL = says(400, {"detail": "Request is still in progress"})
NO_STATUS = says(200, {"foo": 1})
Fails = Callable[..., None]


@pytest.fixture(autouse=True)
def _no_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests_app.worker.breaker.FAILURES", 10_000)


@pytest.fixture
def fails_at(monkeypatch: pytest.MonkeyPatch) -> Fails:
    """Whatever is heard of this kind cannot be stored, by a fault of ours."""

    def fail(*kinds: type, error: Exception | None = None) -> None:
        observe, observe_many = lifecycle.observe, lifecycle.observe_many

        def check(news: Any) -> None:
            if isinstance(news, kinds):
                raise error or OverflowError("int too large to convert to float")

        def faulty(pk: int, news: Any, **how: Any) -> Any:
            check(news)
            return observe(pk, news, **how)

        def all_faulty(reports: Any) -> Any:
            for report in reports:
                check(report.news)
            return observe_many(reports)

        monkeypatch.setattr(lifecycle, "observe", faulty)
        monkeypatch.setattr(lifecycle, "observe_many", all_faulty)

    return fail


def looks(loop: Any, row: FalRequest, times: int) -> FalRequest:
    for _ in range(times):
        if row.due_at is None:
            break
        row = look(loop, row)
    return row


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [OverflowError("x"), ValueError("y"), RecursionError("z"), KeyError("k"), RuntimeError("r")],
    ids=lambda error: type(error).__name__,
)
def test_any_exception_is_a_failed_look_that_waits_and_is_logged_in_one_line(
    loop: Any, peer: PeerThread, queued: FalRequest, fails_at: Fails, error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    fails_at(StatusReport, error=error)
    peer.will(RUNNING, RUNNING)
    with caplog.at_level(logging.INFO):
        row = looks(loop, queued, 2)
    assert (row.tries, row.lease) == (2, None)
    assert row.due_at is not None and (row.due_at - timezone.now()).total_seconds() > 0.5
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 2
    assert all(type(error).__name__ in line.message and line.exc_info is None for line in told)


def test_the_third_in_a_row_is_told_on_the_page_by_readyz_and_in_the_metrics(
    loop: Any, peer: PeerThread, queued: FalRequest, fails_at: Fails, as_owner: Client
) -> None:
    fails_at(StatusReport)
    peer.will(RUNNING, RUNNING, RUNNING)
    row = looks(loop, queued, 2)
    assert told_by_readyz() == ""
    assert b"faldeck_failing_requests 0.0" in exposition()
    row = look(loop, row)
    assert "1 request cannot go on" in told_by_readyz()
    assert b"faldeck_failing_requests 1.0" in exposition()
    assert b'faldeck_failed_looks_total{cause="exception"}' in exposition()
    assert "cannot be processed here (OverflowError" in page(as_owner, row)
    parts = as_owner.get("/readyz").json()["parts"]
    assert parts["requests"]["ok"] is False


FAILING = [
    (Status.PENDING, Mode.QUEUE, ""),
    (Status.PENDING, Mode.RUN, ""),
    (Status.PENDING, Mode.STREAM, ""),
    (Status.SUBMITTING, Mode.QUEUE, ""),
    (Status.UNCERTAIN, Mode.QUEUE, ""),
    (Status.IN_QUEUE, Mode.QUEUE, ""),
    (Status.IN_PROGRESS, Mode.QUEUE, ""),
    (Status.FAILED, Mode.QUEUE, ErrorType.GIVEN_UP),  # still searched for
]


@pytest.mark.parametrize(("status", "mode", "error_type"), FAILING)
def test_a_row_that_fails_at_each_step_is_counted_in_every_open_state(
    team: Team, owner: User, status: str, mode: str, error_type: str
) -> None:
    row = make_request(team=team, person=owner, mode=mode)
    columns = {"status": status, "error_type": error_type, "due_at": timezone.now()}
    for tries, expected in ((2, 0), (3, 1), (50, 1)):
        FalRequest.objects.filter(pk=row.pk).update(tries=tries, **columns)
        assert FalRequest.objects.failing().count() == expected
    assert "1 request cannot go on" in told_by_readyz()
    FalRequest.objects.filter(pk=row.pk).update(due_at=None)
    assert told_by_readyz() == ""


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_an_ended_row_is_not_counted_while_its_details_are_fetched(
    team: Team, owner: User, status: str
) -> None:
    row = make_request(team=team, person=owner)
    FalRequest.objects.filter(pk=row.pk).update(status=status, tries=9, due_at=timezone.now())
    assert told_by_readyz() == ""


def test_a_pending_row_whose_step_fails_is_told_everywhere_after_the_third(
    loop: Any, peer: PeerThread, team: Team, owner: User, as_owner: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner)
    monkeypatch.setattr(lifecycle, "start_attempts", lambda *_, **__: 1 / 0)
    looks(loop, row, 2)
    assert told_by_readyz() == ""
    row = look(loop, row)
    assert "1 request cannot go on" in told_by_readyz()
    assert b"faldeck_failing_requests 1.0" in exposition()
    assert "This step cannot be taken here (ZeroDivisionError" in page(as_owner, row)
    assert peer.requests == []


def test_a_good_look_ends_it(
    loop: Any, peer: PeerThread, queued: FalRequest, fails_at: Fails, as_owner: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as broken:
        broken.setattr(lifecycle, "observe_many", lambda *_, **__: 1 / 0)
        peer.will(RUNNING, RUNNING, RUNNING)
        row = looks(loop, queued, 3)
    peer.will(RUNNING)
    row = look(loop, row)
    assert (row.tries, told_by_readyz()) == (0, "")
    assert "requests" not in as_owner.get("/readyz").json()["parts"]
    assert row.observations.latest("id").note == "fal answers again."


UNUSABLE = {
    "no status": NO_STATUS,
    "no JSON": reply(200, b"<html>"),
    "an odd refusal": says(422, {"detail": "this id is odd"}),
    "a redirect": reply(307, b"", location="/x"),
    "a header of 100 kB": reply(200, b"{}", x_a="a" * 100_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("step", UNUSABLE.values(), ids=UNUSABLE)
def test_a_result_is_fetched_although_its_status_can_never_be_read(
    loop: Any, peer: PeerThread, queued: FalRequest, step: Any
) -> None:
    peer.will(step, step, step, step, OUTPUT)
    row = looks(loop, queued, 4)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, b'{"text": "here"}')


def test_a_result_is_fetched_although_its_status_cannot_be_processed(
    loop: Any, peer: PeerThread, queued: FalRequest, fails_at: Fails
) -> None:
    fails_at(StatusReport)
    peer.will(DONE, DONE, DONE, DONE, OUTPUT)
    assert looks(loop, queued, 4).status == Status.COMPLETED


def test_an_answer_that_is_the_same_for_status_and_result_is_neither(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    peer.will(*[NO_STATUS] * 6)
    row = looks(loop, queued, 4)
    assert (row.status, row.tries, bytes(row.output or b"")) == (Status.IN_QUEUE, 4, b"")


def test_an_output_that_cannot_be_processed_is_kept_byte_for_byte_in_a_named_failure(
    loop: Any, peer: PeerThread, queued: FalRequest, fails_at: Fails, as_owner: Client
) -> None:
    fails_at(Result)
    peer.will(*[DONE, OUTPUT] * 4, OUTPUT)
    row = looks(loop, queued, 4)
    assert (row.status, row.error_type, row.due_at) == (Status.FAILED, "not_processed", None)
    assert (bytes(row.output or b""), row.output_size) == (b'{"text": "here"}', 16)
    assert "could not be processed here" in page(as_owner, row)


@pytest.mark.parametrize(
    ("status", "result"),
    [(NO_STATUS, html(502)), (NO_STATUS, says(403, {"detail": "no"}))],
    ids=["nothing readable", "no result either"],
)
def test_what_can_never_succeed_ends_by_name_in_bounded_time(
    loop: Any, peer: PeerThread, queued: FalRequest, status: Any, result: Any, as_owner: Client
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(tries=lifecycle.MOST_FAILURES - 2)
    peer.will(status, result, status, result)
    row = look(loop, queued)
    assert row.status == Status.IN_QUEUE
    row = look(loop, row)
    assert (row.status, row.error_type, row.due_at) == (Status.FAILED, "not_processed", None)
    assert "look at your usage at fal" in page(as_owner, row)


def test_a_request_of_which_fal_says_that_it_runs_is_not_ended(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(tries=lifecycle.MOST_FAILURES + 5)
    peer.will(NO_STATUS, STILL)
    row = look(loop, queued)
    assert (row.status, row.tries) == (Status.IN_QUEUE, lifecycle.MOST_FAILURES + 6)


def test_an_id_that_makes_no_url_ends_by_name_without_a_call(
    loop: Any, peer: PeerThread, queued: FalRequest
) -> None:
    FalRequest.objects.filter(pk=queued.pk).update(
        fal_request_id="app:req/1?x", status_url="", tries=lifecycle.MOST_FAILURES - 1
    )
    row = look(loop, queued)
    assert (row.status, row.error_type) == (Status.FAILED, "not_processed")
    assert peer.requests == []


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (NotSent("DNS"), False),
        (Unanswered("reset"), False),
        (Unanswered("gateway", status_code=502), False),
        (Unanswered("no status", status_code=200), True),
        (Unanswered("redirect", status_code=307), True),
        (BadReply("a header of 100 kB"), True),
        (Refused("odd", status_code=400), True),
        (Refused("odd", status_code=422), True),
        (Refused("key", status_code=401), False),
        (Refused("balance", status_code=403), False),
        (Refused("busy", status_code=429), False),
    ],
)
def test_waiting_helps_while_fal_is_away_and_not_against_what_it_says(
    error: Any, lasting: bool
) -> None:
    failure = of_fal(error)
    assert is_hopeless(failure, lifecycle.MOST_FAILURES) == lasting
    assert is_hopeless(failure, MOST_UNANSWERED) != failure.is_account


def test_the_accounts_matter_never_ends_a_row() -> None:
    assert not is_hopeless(Failure("balance", is_account=True), 10**6)


# --- other steps ------------------------------------------------------------------------------------


def test_a_receipt_that_cannot_be_processed_leaves_a_row_that_is_followed_by_its_id(
    loop: Any, peer: PeerThread, team: Team, owner: User, fails_at: Fails
) -> None:
    fails_at(Receipt)
    row = make_request(team=team, person=owner)
    peer.will(says(200, {"request_id": "r-7"}))
    loop.run(advance(row.pk), timeout_s=20)
    row = fresh(row)
    assert (row.status, row.fal_request_id) == (Status.IN_PROGRESS, "r-7")
    assert [request.method for request in peer.requests] == ["POST"]


@pytest.mark.parametrize("mode", [Mode.QUEUE, Mode.RUN, Mode.STREAM])
def test_a_row_that_a_stricter_rule_refuses_fails_by_name_and_is_not_sent(
    loop: Any, peer: PeerThread, team: Team, owner: User, mode: str, as_owner: Client
) -> None:
    row = make_request(team=team, person=owner, mode=mode)
    FalRequest.objects.filter(pk=row.pk).update(options={"headers": {"x-real-ip": "1"}})
    loop.run(advance(row.pk), timeout_s=20)
    row = fresh(row)
    assert (row.status, row.error_type) == (Status.FAILED, "not_sendable")
    assert peer.requests == []
    assert "Nothing reached fal" in page(as_owner, row)


REFUSED_IDS = [
    "acme/x/requests/abc/cancel", "acme/x/requests/abc", "acme/x/status/stream", "nonsense",
    "acme/x\u2028y", "acme/\u0445", "acme/../x", "https://queue.fal.run/acme/x", "acme/x?a=1",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.QUEUE, Mode.RUN, Mode.STREAM])
@pytest.mark.parametrize("endpoint_id", REFUSED_IDS)
def test_a_row_whose_endpoint_id_is_refused_nowadays_fails_by_name_and_is_not_sent(
    loop: Any, peer: PeerThread, team: Team, owner: User, mode: str, endpoint_id: str,
    as_owner: Client,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner, mode=mode)
    FalRequest.objects.filter(pk=row.pk).update(endpoint_id=endpoint_id)
    loop.run(advance(row.pk), timeout_s=20)
    row = fresh(row)
    assert (row.status, row.error_type, row.due_at) == (Status.FAILED, "not_sendable", None)
    assert peer.requests == []
    assert "Nothing reached fal" in page(as_owner, row)


def test_a_runs_output_that_cannot_be_processed_is_kept(
    loop: Any, peer: PeerThread, team: Team, owner: User, fails_at: Fails
) -> None:
    fails_at(Result)
    row = make_request(team=team, person=owner, mode=Mode.RUN)
    peer.will(OUTPUT)
    loop.run(advance(row.pk), timeout_s=20)
    row = fresh(row)
    assert (row.status, row.error_type) == (Status.FAILED, "not_processed")
    assert bytes(row.output or b"") == b'{"text": "here"}'


def test_a_step_that_cannot_even_begin_waits_and_ends_in_bounded_time(
    loop: Any, peer: PeerThread, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_request(team=team, person=owner)
    monkeypatch.setattr(lifecycle, "start_attempts", lambda *_, **__: 1 / 0)
    row = look(loop, row)
    assert (row.status, row.tries) == (Status.PENDING, 1)
    assert row.due_at is not None and row.due_at > timezone.now()
    FalRequest.objects.filter(pk=row.pk).update(tries=lifecycle.MOST_FAILURES - 1)
    row = look(loop, row)
    assert (row.status, row.error_type) == (Status.FAILED, "not_sendable")
    assert peer.requests == []


def test_a_fault_that_cannot_be_told_does_not_raise(
    loop: Any, queued: FalRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifecycle, "note_step_failed", lambda *_, **__: 1 / 0)
    loop.run(failed_looks.step_failed(queued.pk, ValueError("x")), timeout_s=20)
    assert "The failure of request" in caplog.text
