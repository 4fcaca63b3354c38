"""The queue of own apps under the worker: a scripted peer is the app, and nothing reaches fal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app import lifecycle
from requests_app.localqueue import hooks, jobs
from requests_app.localqueue.app_log import AppLog
from requests_app.localqueue.places import Service, place_of
from requests_app.models import FalRequest, LocalJob, Mode, Source, Status, Team
from requests_app.worker.local_jobs import run_due
from tests.builders import make_request
from tests.fal.peer import Step, drip, reply, reset, says
from tests.worker.conftest import PeerThread, ended
from tests.worker.conftest import loop as loop
from tests.worker.conftest import peer as peer
from tests.worker.conftest import until as until

pytestmark = pytest.mark.django_db(transaction=True)
Ask = Callable[..., FalRequest]
Until = Callable[..., FalRequest]

APP = "acme/workshop"


@pytest.fixture
def app(peer: PeerThread, settings: Any, tmp_path: Any) -> PeerThread:
    """The peer is the app; fal's queue is not there."""
    log = tmp_path / "app.log"
    log.write_text("before\n")
    settings.FAL_QUEUE_URL = settings.FAL_API_URL = "http://127.0.0.1:1/queue"
    settings.FAL_KEY = ""
    settings.LOCAL_APPS = {APP: LocalApp(APP, f"{peer.url}/mounted", log=log)}
    return peer


@pytest.fixture
def ask(app: PeerThread, team: Team, owner: User) -> Ask:
    """A new request for the app, or for a path below it."""

    def make(path: str = "", mode: str = Mode.QUEUE, **values: Any) -> FalRequest:
        return make_request(
            team=team, person=owner, endpoint_id=APP + path, mode=mode, input=values
        )

    return make


def waits_again(job: LocalJob) -> bool:
    return job.tries > 0 and job.slot is None and job.ended_at is None


def job_of(row: FalRequest) -> LocalJob:
    return LocalJob.objects.get(request_id=row.fal_request_id)


def printing(settings: Any, text: str, then: Step) -> Step:
    """The app prints, and answers."""

    async def step(writer: asyncio.StreamWriter) -> None:
        with settings.LOCAL_APPS[APP].log.open("a") as file:
            file.write(text)
        await then(writer)

    return step


def test_a_request_reaches_its_end_with_its_logs_and_nothing_of_it_leaves_for_fal(
    ask: Ask, until: Until, app: PeerThread, settings: Any
) -> None:
    output = b'{"number": 1.50, "text": "a lake"}'
    app.will(printing(settings, "loading\nready", reply(200, output)))
    row = until(ask("/raise", prompt="a lake"), ended)
    assert (row.status, bytes(row.output or b"")) == (Status.COMPLETED, output)
    assert [line.message for line in row.log_lines.order_by("pk")] == ["loading", "ready"]
    assert row.metrics["inference_time"] > 0
    call = app.requests[0]
    assert (call.method, call.path) == ("POST", "/mounted/raise")
    assert json.loads(call.body) == {"prompt": "a lake"}
    assert call.header("x-fal-request-id") == row.fal_request_id
    assert call.header("authorization") is None
    assert len(app.requests) == 1
    assert lifecycle.why_not_at_fal(row)
    lifecycle.delete_payload(row.pk, person=row.person, now=timezone.now())
    assert not LocalJob.objects.exists()


def test_one_at_a_time_by_default_in_order_and_low_priority_last(
    ask: Ask, until: Until, app: PeerThread
) -> None:
    now = timezone.now()
    local = place_of_app()
    made = [
        LocalJob.objects.create(app=APP, body=b"{}", accepted_at=now, due_at=now, is_low=is_low)
        for is_low in (True, False, False)
    ]
    assert [jobs.position(job) for job in made] == [2, 0, 1]
    first = jobs.take(local, now)
    assert first is not None
    assert first.pk == made[1].pk
    assert jobs.take(local, now) is None  # one at once
    jobs.finish(first, jobs.JobEnd(200, b"{}"), [], now)
    second = jobs.take(local, now)
    assert second is not None
    assert second.pk == made[2].pk


def place_of_app() -> LocalApp:
    return LocalApp(APP, "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("step", "code", "error_type"),
    [
        (says(422, {"detail": [{"loc": ["body", "prompt"], "msg": "No", "type": "missing"}]}), 422, ""),
        (reset, 503, "runner_disconnected"),
        (reply(307, location="http://elsewhere.invalid/"), 500, "runner_server_error"),
    ],
)  # fmt: skip
def test_what_goes_wrong_in_the_app_is_a_failure_with_its_reason_and_is_not_run_again(
    step: Step, code: int, error_type: str, ask: Ask, until: Until, app: PeerThread
) -> None:
    app.will(step)
    row = until(ask(), ended)
    assert (row.status, row.error_code, row.error_type) == (Status.FAILED, code, error_type)
    assert len(app.requests) == 1


@pytest.mark.slow
def test_an_app_that_is_away_is_waited_for(
    ask: Ask, until: Until, app: PeerThread, settings: Any
) -> None:
    here = settings.LOCAL_APPS
    settings.LOCAL_APPS = {APP: LocalApp(APP, "http://127.0.0.1:1")}
    row = until(ask(), lambda row: bool(row.fal_request_id) and waits_again(job_of(row)))
    job = job_of(row)
    settings.LOCAL_APPS = here
    app.will(says(200, {"ok": True}))
    assert until(row, ended).status == Status.COMPLETED
    jobs_left = LocalJob.objects.create(
        app=APP, body=b"{}", accepted_at=job.accepted_at, due_at=job.due_at, tries=jobs.MOST_TRIES
    )
    jobs.put_back(jobs_left, timezone.now())
    jobs_left.refresh_from_db()
    assert (jobs_left.status_code, jobs_left.error_type) == (503, "runner_connection_refused")


@pytest.mark.slow
def test_a_waiting_request_is_cancelled_and_one_at_work_is_passed_on_to_the_app(
    ask: Ask, until: Until, owner: User, app: PeerThread
) -> None:
    app.will(drip(b'{"is": "slow"}', 3600), says(404, {"detail": "Path /cancel not found"}))
    at_work = until(ask(), lambda row: row.status == Status.IN_PROGRESS)
    waiting = until(ask(), lambda row: row.status == Status.IN_QUEUE)
    assert waiting.queue_position == 0
    lifecycle.ask_cancel(waiting.pk, person=owner, now=timezone.now())
    assert until(waiting, ended).status == Status.CANCELLED
    lifecycle.ask_cancel(at_work.pk, person=owner, now=timezone.now())
    until(at_work, lambda _: len(app.requests) == 2)
    cancel = app.requests[1]
    assert (cancel.method, cancel.path) == ("POST", "/mounted/cancel")
    assert cancel.header("x-fal-request-id") == at_work.fal_request_id
    assert not until(at_work, lambda row: bool(row.cancel_answer)).is_ended


def test_a_job_whose_worker_was_killed_ends_so_and_is_never_given_to_the_app_again(
    ask: Ask, until: Until, app: PeerThread
) -> None:
    row = ask()
    job = LocalJob.objects.create(
        app=APP, body=b"{}", accepted_at=timezone.now(), due_at=timezone.now()
    )
    taken = jobs.take(place_of_app(), timezone.now())
    assert taken is not None
    LocalJob.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    lifecycle.observe(row.pk, receipt_of(job), source=Source.SUBMIT_REPLY, asked_at=timezone.now())
    row = until(row, ended)
    assert (row.status, row.error_type) == (Status.FAILED, "runner_disconnected")
    assert "not given to the app a second time" in row.error
    assert app.requests == []
    assert not jobs.finish(taken, jobs.JobEnd(200, b"{}"), [], timezone.now())


def receipt_of(job: LocalJob) -> Any:
    from requests_app.fal import EndpointId, Receipt, urls_for
    from requests_app.worker.fal_connections import hosts_from_settings

    request_id = str(job.request_id)
    urls = urls_for(hosts_from_settings(), EndpointId.parse(APP), request_id)
    return Receipt(request_id, None, urls, None)


@pytest.mark.slow
def test_one_that_does_not_begin_in_time_ends_as_at_fal(
    ask: Ask, app: PeerThread, team: Team, owner: User, until: Until, settings: Any
) -> None:
    settings.LOCAL_APPS = {APP: LocalApp(APP, "http://127.0.0.1:1")}
    row = make_request(team=team, person=owner, endpoint_id=APP, input={}, start_timeout=1.5)
    row = until(row, ended)
    assert (row.status, row.error_code, row.error_type) == (Status.FAILED, 504, "request_timeout")


def test_runs_and_streams_go_to_the_app_itself_without_the_key(
    ask: Ask, until: Until, app: PeerThread, settings: Any
) -> None:
    settings.FAL_KEY = "id:secret"
    app.will(says(200, {"ok": True}))
    assert until(ask("/upscale", Mode.RUN), ended).status == Status.COMPLETED
    assert app.requests[0].path == "/mounted/upscale"
    assert app.requests[0].header("authorization") is None


def test_a_submit_whose_answer_was_lost_is_found_in_the_list(
    ask: Ask, until: Until, app: PeerThread
) -> None:
    row = ask(prompt="lost")
    now = timezone.now()
    attempt = lifecycle.start_attempts([row.pk], now=now)[0]
    assert attempt is not None
    LocalJob.objects.create(app=APP, body=attempt.body, accepted_at=now, due_at=now)
    lifecycle.mark_uncertain(row.pk, "the process was killed.", now=now)
    FalRequest.objects.filter(pk=row.pk).update(due_at=now)
    app.will(says(200, {"ok": True}))
    assert until(row, ended).status == Status.COMPLETED
    assert len(app.requests) == 1


def test_only_addresses_of_own_apps_are_taken(app: PeerThread, settings: Any) -> None:
    queue, run = settings.FAL_QUEUE_URL, settings.FAL_RUN_URL
    of = {
        f"{queue}/{APP}": Service.QUEUE,
        f"{queue}/{APP}/a/b?fal_webhook=x": Service.QUEUE,
        f"{run}/{APP}/stream": Service.RUN,
        f"{settings.FAL_API_URL}/v1/models/requests/by-endpoint?endpoint_id={APP}/a": Service.LIST,
        f"{queue}/{APP}-2": None,
        f"{queue}/fal-ai/flux": None,
        f"https://elsewhere.invalid/{APP}": None,
    }
    for url, service in of.items():
        found = place_of(url)
        assert (found.service if found else None) is service, url


def test_a_log_that_begins_anew_and_one_without_its_last_end_are_read(tmp_path: Any) -> None:
    path = tmp_path / "app.log"
    log = AppLog(LocalApp(APP, "http://x", 2, path))
    path.write_text("one\r\ntw")
    assert [line["message"] for line in log.lines()] == ["one"]
    path.write_text("o\n")
    lines = log.lines(is_last=True)
    assert [line["message"] for line in lines] == ["two"]
    assert lines[0]["labels"] == {"shared": "true"}
    assert AppLog(LocalApp(APP, "http://x")).lines(is_last=True) == []


def test_webhooks_are_repeated_until_heard_and_go_to_no_private_address_unless_allowed(
    app: PeerThread, loop: Any, settings: Any
) -> None:
    now = timezone.now()
    job = LocalJob.objects.create(
        app=APP, body=b"{}", accepted_at=now, due_at=now, ended_at=now, status_code=200,
        output=b"not JSON", webhook_url=f"{app.url}/hook", webhook_due_at=now,
    )  # fmt: skip
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    app.will(says(500, {}), says(200, {}))
    loop.run(run_due())
    loop.run(idle_until(lambda: len(app.requests) == 1))
    LocalJob.objects.update(webhook_due_at=timezone.now())
    loop.run(run_due())
    loop.run(idle_until(lambda: len(app.requests) == 2))
    loop.stop()
    job.refresh_from_db()
    assert job.webhook_due_at is None
    told = json.loads(app.requests[1].body)
    assert (told["status"], told["payload"]) == ("OK", None)
    assert "not JSON serializable" in told["payload_error"]
    settings.NOTICE_HOSTS = []
    assert loop.run(hooks.deliver(job))  # refused for good
    job.webhook_url = job.webhook_url.replace("http:", "https:")
    assert loop.run(hooks.deliver(job))
    assert len(app.requests) == 2


async def idle_until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not wanted():
            await asyncio.sleep(0.02)


def test_jobs_are_forgotten_an_hour_after_their_end(app: PeerThread) -> None:
    now = timezone.now()
    for ended_at in (now - jobs.KEPT * 2, now, None):
        LocalJob.objects.create(app=APP, body=b"", accepted_at=now, due_at=now, ended_at=ended_at)
    jobs.remove_old(now)
    assert LocalJob.objects.count() == 2
