"""The fault lab in the gateway: what a program sees, what reaches fal, and the mark on the record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.localqueue import hooks, jobs
from requests_app.models import ApiToken, FalRequest, LocalJob
from tests.fal.peer import events, says
from tests.gateway.conftest import Serving
from tests.worker.conftest import PeerThread

QUEUE = "/gateway/queue/acme/img"
ID = "11111111-1111-4111-8111-111111111111"
Lab = Callable[..., None]


def tags_of(row: FalRequest) -> list[str]:
    return [tagging.tag.name for tagging in row.taggings.select_related("tag")]


@pytest.fixture
def lab(key: str) -> Lab:
    """Switch rules on for the key."""

    def on(*rules: dict[str, Any], minutes: float = 60) -> None:
        until = timezone.now() + timedelta(minutes=minutes)
        ApiToken.objects.update(fault_rules=list(rules), faults_until=until)

    return on


@pytest.fixture(autouse=True)
def all_recorded(peer: PeerThread, serving: Serving) -> Iterator[None]:
    """Nothing is written any more when the tables are emptied."""
    yield
    serving.recorded()


REFUSED = {"429": 429, "503": 503, "504_html": 504}


@pytest.mark.parametrize("do", [*REFUSED])
def test_a_refused_submit_does_not_reach_fal_and_is_marked(
    do: str, lab: Lab, http: httpx.Client, peer: PeerThread, serving: Serving
) -> None:
    lab({"when": "submit", "do": do, "times": 1})
    assert http.post(QUEUE, json={"a": 1}).status_code == REFUSED[do]
    assert peer.requests == []
    (row,) = serving.recorded()
    assert tags_of(row) == ["fault-lab"]
    peer.will(says(200, {"request_id": ID}))
    assert http.post(QUEUE, json={"a": 2}).status_code == 200  # once was all


def test_a_delayed_call_reaches_fal_once(lab: Lab, http: httpx.Client, peer: PeerThread) -> None:
    lab(
        {"when": "run", "do": "delay", "seconds": 600},
        {"when": "run", "do": "delay", "seconds": 0.1},
    )
    with pytest.raises(httpx.ReadTimeout):
        http.post("/gateway/run/acme/img", json={}, timeout=1)
    assert peer.requests == []
    peer.will(says(200, {"ok": True}))
    assert http.post("/gateway/run/acme/img", json={}).json() == {"ok": True}
    assert len(peer.requests) == 1


def test_a_stream_breaks_off_behind_its_events(
    lab: Lab, http: httpx.Client, peer: PeerThread
) -> None:
    lab({"when": "stream", "do": "cut", "after": 2})
    peer.will(events(*(b'data: {"n": %d}\n\n' % n for n in range(5))))
    seen: list[str] = []

    def read() -> None:
        with http.stream("POST", "/gateway/run/acme/img/stream", json={}) as stream:
            seen.extend(line for line in stream.iter_lines() if line)

    with pytest.raises(httpx.RemoteProtocolError):
        read()
    assert seen == ['data: {"n": 0}', 'data: {"n": 1}']


def test_a_cancel_is_too_late_and_fal_is_not_asked(
    lab: Lab, http: httpx.Client, peer: PeerThread
) -> None:
    lab({"when": "cancel", "do": "too_late"})
    reply = http.put(f"{QUEUE}/requests/{ID}/cancel")
    assert (reply.status_code, reply.json()) == (400, {"status": "ALREADY_COMPLETED"})
    assert peer.requests == []


def test_faults_whose_time_is_over_and_those_of_another_version_do_nothing(
    lab: Lab, http: httpx.Client, peer: PeerThread, serving: Serving
) -> None:
    lab({"when": "submit", "do": "429"}, minutes=-1)
    peer.will(says(200, {"request_id": ID}))
    assert http.post(QUEUE, json={}).status_code == 200
    (row,) = serving.recorded()
    assert tags_of(row) == []


def test_webhooks_of_own_apps_are_forged_late_or_twice(
    lab: Lab, http: httpx.Client, peer: PeerThread, settings: Any
) -> None:
    settings.LOCAL_APPS = {"acme/img": LocalApp("acme/img", peer.url)}
    lab(
        {"when": "webhook", "do": "bad_signature"}, {"when": "webhook", "do": "delay", "seconds": 9},
        {"when": "webhook", "do": "repeat"},
    )  # fmt: skip
    for _ in range(3):
        http.post(QUEUE, params={"fal_webhook": f"{peer.url}/hook"}, json={})
    forged, late, twice = LocalJob.objects.order_by("pk")
    assert (forged.webhook_fault or {})["do"] == "bad_signature"
    signature = "X-Fal-Webhook-Signature"
    assert hooks.headers_of(forged, b"")[signature] != hooks.headers_of(late, b"")[signature]
    now = timezone.now()
    jobs.finish(late, jobs.JobEnd(200, b"{}"), [], now)
    late.refresh_from_db()
    assert late.webhook_due_at == now + timedelta(seconds=9)
    hooks.heard(twice)
    twice.refresh_from_db()
    assert twice.webhook_due_at is not None
    twice.webhook_tries = 1
    hooks.heard(twice)
    twice.refresh_from_db()
    assert twice.webhook_due_at is None
