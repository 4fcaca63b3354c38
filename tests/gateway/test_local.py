"""Own apps through the gateway: a program sees a queue as fal's, and nothing reaches fal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.fal import parse_jwks, verify
from requests_app.gateway import application
from requests_app.models import ApiToken, FalRequest, Role, Status, Team
from requests_app.worker.sweep import sweep
from tests.builders import make_person
from tests.fal.peer import says
from tests.gateway.conftest import Serving, wait_for
from tests.worker.conftest import PeerThread

APP = "acme/workshop"
QUEUE = f"/gateway/queue/{APP}"


@pytest.fixture
def app(peer: PeerThread, loop: Any, settings: Any) -> PeerThread:
    """The peer is the app, and takes webhooks."""
    settings.FAL_QUEUE_URL, settings.FAL_KEY = "http://127.0.0.1:1/queue", ""
    settings.LOCAL_APPS = {APP: LocalApp(APP, peer.url)}
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    return peer


@pytest.fixture(autouse=True)
def all_recorded(app: PeerThread, serving: Serving) -> Iterator[None]:
    """Nothing is written any more when the tables are emptied."""
    yield
    serving.recorded()


def ended(http: httpx.Client, loop: Any, url: str) -> dict[str, Any]:
    """The status once it is the last, while the worker sweeps."""
    found: dict[str, Any] = {}

    def is_so() -> bool:
        loop.run(sweep())
        reply = http.get(url, params={"logs": "true"})
        found.update(reply.json())
        return reply.status_code == 200

    wait_for(is_so)
    return found


def test_submit_poll_result_and_a_signed_webhook_as_at_fal(
    app: PeerThread, serving: Serving, http: httpx.Client, loop: Any
) -> None:
    output = {"text": "a lake"}
    app.will(says(200, output, x_fal_billable_units="2"), says(200, {}))
    told = http.post(
        f"{QUEUE}/paint", params={"fal_webhook": f"{app.url}/hook"}, json={"prompt": "a lake"}
    ).json()
    assert (told["status"], told["queue_position"]) == ("IN_QUEUE", 0)
    assert told["status_url"] == f"{serving.url}{QUEUE}/requests/{told['request_id']}/status"
    early = http.get(told["response_url"])
    assert early.status_code in (200, 400)  # a worker may have been quick
    status = ended(http, loop, told["status_url"])
    assert (status["status"], status["logs"]) == ("COMPLETED", [])
    result = http.get(told["response_url"])
    assert (result.status_code, result.json()) == (200, output)
    assert result.headers["x-fal-billable-units"] == "2"
    assert result.headers["x-fal-request-id"] == told["request_id"]
    late = http.put(told["cancel_url"])
    assert (late.status_code, late.json()) == (400, {"status": "ALREADY_COMPLETED"})
    wait_for(lambda: len(app.requests) == 2)
    hook = app.requests[1]
    keys = parse_jwks(httpx.get(f"{serving.url}/gateway/.well-known/jwks.json").content)
    report = verify(dict(hook.headers), hook.body, keys, timezone.now())
    assert (report.request_id, report.status) == (told["request_id"], "OK")
    assert json.loads(report.payload_bytes or b"") == output
    (row,) = serving.recorded()
    wait_for(lambda: loop.run(sweep()) is not None and FalRequest.objects.get(pk=row.pk).is_ended)
    assert FalRequest.objects.get(pk=row.pk).status == Status.COMPLETED


def test_the_status_stream_tells_up_to_the_end(
    app: PeerThread, http: httpx.Client, loop: Any
) -> None:
    app.will(says(200, {"ok": True}))
    told = http.post(QUEUE, json={}).json()
    loop.run(sweep())
    with http.stream("GET", f"{told['status_url']}/stream", params={"logs": "1"}) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    statuses = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert statuses[-1]["status"] == "COMPLETED"
    assert statuses[-1]["status_url"] == told["status_url"]


def test_run_goes_to_the_app_with_its_query_and_without_the_key(
    app: PeerThread, http: httpx.Client
) -> None:
    app.will(says(200, {"ok": True}))
    assert http.post(f"/gateway/run/{APP}/x?a=1", json={}).json() == {"ok": True}
    call = app.requests[0]
    assert (call.target, call.header("authorization")) == ("/x?a=1", None)


def test_another_team_sees_no_more_than_a_request_that_is_not_there(
    app: PeerThread, serving: Serving, http: httpx.Client
) -> None:
    told = http.post(QUEUE, json={}).json()
    others = Team.objects.create(name="Others")
    theirs = ApiToken.issue(make_person("theirs", team=others, role=Role.OWNER), others)
    headers = {"authorization": f"Key x:{theirs}"}
    serving.recorded()
    FalRequest.objects.all().delete()  # the record was missed: the job itself knows its team
    serving.run(_forget())
    for method, name in (("GET", "status_url"), ("GET", "response_url"), ("PUT", "cancel_url")):
        reply = httpx.request(method, told[name], headers=headers)
        assert (reply.status_code, reply.json()) == (404, {"status": "NOT_FOUND"}), name
    assert http.get(told["status_url"]).status_code == 202


async def _forget() -> None:
    application.station().owners._owners.clear()
    await asyncio.sleep(0)


def test_a_queue_that_is_too_long_and_odd_calls_are_answered_as_by_fal(
    app: PeerThread, http: httpx.Client
) -> None:
    for _ in range(2):
        http.post(QUEUE, json={})
    asked = {
        ("POST", QUEUE, "fal_max_queue_length=1"): 429,
        ("GET", QUEUE, ""): 405,
        ("GET", f"{QUEUE}/requests/nothing/status", ""): 404,
        ("GET", f"{QUEUE}/requests/nothing/status/stream", ""): 404,
        ("POST", f"{QUEUE}/requests/nothing/cancel", ""): 405,
    }
    for (method, path, query), code in asked.items():
        assert http.request(method, f"{path}?{query}", json={}).status_code == code, path
    odd = http.post(QUEUE, json={}, headers={"x-fal-request-start-timeout": "soon"})
    assert odd.status_code == 400
