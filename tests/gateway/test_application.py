"""Calls through the gateway, judged by what a scripted fal got and what the caller got."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from requests_app.gateway import application
from requests_app.models import ApiToken, Mode, Source, Status, Team
from tests.builders import make_queued
from tests.fal.peer import events, html, reply, reset, says, truncated
from tests.gateway.conftest import Serving

ID = "0b1c2d3e-1111-2222-3333-444455556666"


def receipt(url: str, request_id: str = ID) -> bytes:
    """As fal writes it, with spaces of its own and an escaped slash."""
    base = f"{url}/queue/acme/img/requests/{request_id}"
    text = (
        '{"status": "IN_QUEUE",  "request_id": "%s", "response_url": "%s", "status_url" : "%s/status",'
        ' "cancel_url": "%s/cancel", "queue_position": 2}'
    )
    return (text % (request_id, base, base.replace("/", "\\/"), base)).encode()


def test_a_submit_passes_unchanged_but_for_key_and_urls_and_becomes_a_row(
    serving: Serving, http: httpx.Client, peer: Any, owner: User, key: str
) -> None:
    peer.will(reply(200, receipt(peer.url), x_fal_request_id=ID, set_cookie="a=b"))
    body = b'{ "prompt":  "a fox", "seed": 7.50 }'
    sent = {
        "content-type": "application/json", "x-fal-queue-priority": "low", "cookie": "faldeck=x",
        "x-own": "kept", "connection": "x-hop", "x-hop": "1", "x-forwarded-for": "10.0.0.1",
    }  # fmt: skip
    got = http.post(
        "/gateway/queue/acme/img/sub?fal_webhook=https%3A%2F%2Fa.b%2Fc", content=body, headers=sent
    )

    (asked,) = peer.requests
    assert (asked.method, asked.body) == ("POST", body)
    assert asked.target == "/queue/acme/img/sub?fal_webhook=https%3A%2F%2Fa.b%2Fc"
    assert asked.header("authorization") == "Key id:secret"
    assert asked.header("x-own") == "kept"
    assert asked.header("content-length") == str(len(body))
    for name in ("cookie", "x-hop", "x-forwarded-for"):
        assert asked.header(name) is None, name
    assert key not in str(asked)

    here = f"{serving.url}/gateway/queue/acme/img/requests/{ID}"
    told = got.json()
    assert (told["response_url"], told["status_url"]) == (here, f"{here}/status")
    assert told["cancel_url"] == f"{here}/cancel"
    assert b'"IN_QUEUE",  "request_id"' in got.content  # all other bytes are as they were
    assert (got.status_code, got.headers["x-fal-request-id"]) == (200, ID)
    assert "set-cookie" not in got.headers

    (row,) = serving.recorded()
    assert (row.status, row.mode, row.endpoint_id) == (Status.IN_QUEUE, Mode.QUEUE, "acme/img/sub")
    assert (row.fal_request_id, row.person, row.queue_position) == (ID, owner, 2)
    assert row.input_text.encode() == body
    assert row.options == {"priority": "low"}
    assert row.status_url == f"{peer.url}/queue/acme/img/requests/{ID}/status"
    assert row.due_at is not None  # our poller goes on, whoever leaves
    assert row.observations.earliest("id").source == Source.GATEWAY


REPLIES = {
    "a refusal": (says(422, {"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": "x"}]}), 422, Status.FAILED),
    "too many": (says(429, {"detail": "slow down"}, retry_after="3"), 429, Status.FAILED),
    "a page of a proxy": (html(502), 502, Status.UNCERTAIN),
    "a reset": (reset, 502, Status.UNCERTAIN),
}  # fmt: skip


@pytest.mark.parametrize("case", REPLIES)
def test_a_submit_that_is_not_taken_is_told_as_it_is_and_never_sent_again(
    serving: Serving, http: httpx.Client, peer: Any, loop: Any, until: Any, case: str
) -> None:
    step, code, status = REPLIES[case]
    peer.will(step)
    got = http.post("/gateway/queue/acme/img", json={"prompt": case})
    assert got.status_code == code
    (row,) = serving.recorded()
    assert row.status == status
    until(row, lambda now: True)  # a sweep of the worker
    assert len(peer.requests) == 1


def test_a_fal_that_cannot_be_reached_is_a_502_and_a_row_of_which_nothing_was_sent(
    serving: Serving, http: httpx.Client, settings: Any
) -> None:
    settings.FAL_QUEUE_URL = "http://127.0.0.1:1"
    got = http.post("/gateway/queue/acme/img", json={"prompt": "x"})
    assert got.status_code == 502
    assert "could not be reached" in got.json()["detail"]
    (row,) = serving.recorded()
    assert (row.status, row.error_type) == (Status.FAILED, "unreachable")


def test_a_retry_of_an_unanswered_submit_is_linked_to_it(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    peer.will(reset, reply(200, receipt(peer.url)))
    for _ in range(2):
        http.post("/gateway/queue/acme/img", json={"prompt": "again"})
    first, second = serving.recorded()
    assert second.again_of == first
    assert first.observations.filter(kind="repeated").exists()


def test_a_run_and_its_reply_are_recorded_as_they_were(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    output = b'{"images": [ ], "seed": 1e2}'
    peer.will(reply(200, output, x_fal_billable_units="2"))
    got = http.post("/gateway/run/acme/img", json={"prompt": "x"})
    assert (got.content, got.headers["x-fal-billable-units"]) == (output, "2")
    (row,) = serving.recorded()
    assert (row.status, row.mode, bytes(row.output)) == (Status.COMPLETED, Mode.RUN, output)
    assert (row.billable_units, row.started_at) == ("2", row.sent_at)


def test_a_reply_that_breaks_off_breaks_off_for_the_caller_too(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    peer.will(truncated(200, b'{"images":'))
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/gateway/run/acme/img", json={"prompt": "x"})
    (row,) = serving.recorded()
    assert (row.status, row.error_type) == (Status.FAILED, "interrupted")


def test_a_stream_is_passed_on_and_its_events_are_recorded(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    pieces = [b'data: {"output": "a", "partial": true}\n\n', b": ping\n\n", b'data: {"output": "ab", "partial": false}\n\n']  # fmt: skip
    peer.will(events(*pieces, x_fal_request_id="stream-1"))
    with http.stream("POST", "/gateway/run/acme/llm/stream", json={"prompt": "x"}) as got:
        assert got.headers["content-type"] == "text/event-stream"
        assert got.read() == b"".join(pieces)
    (row,) = serving.recorded()
    assert (row.status, row.mode, row.endpoint_id) == (Status.COMPLETED, Mode.STREAM, "acme/llm")
    assert [json.loads(frame.data)["output"] for frame in row.frames.all()] == ["a", "ab"]
    assert row.fal_request_id == "stream-1"


def test_a_cancel_is_asked_once_and_its_answer_is_kept(
    serving: Serving, http: httpx.Client, peer: Any, team: Team, owner: User
) -> None:
    row = make_queued(ID, team=team, person=owner)
    peer.will(says(202, {"status": "CANCELLATION_REQUESTED"}))
    got = http.put(f"/gateway/queue/acme/img/requests/{ID}/cancel")
    assert got.status_code == 202
    serving.recorded()
    row.refresh_from_db()
    assert row.cancel_answer == "requested"
    assert row.cancel_asked_at is not None


def test_status_and_result_are_passed_on_with_their_codes(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    base = f"{peer.url}/queue/acme/img/requests/{ID}"
    body = json.dumps({"status": "IN_PROGRESS", "status_url": f"{base}/status", "logs": None})
    peer.will(reply(202, body.encode()), reply(422, b'{"detail": "no"}', x_fal_error_type="x"))
    status = http.get(f"/gateway/queue/acme/img/requests/{ID}/status?logs=true")
    result = http.get(f"/gateway/queue/acme/img/requests/{ID}")
    assert (status.status_code, result.status_code) == (202, 422)
    assert status.json()["status_url"].startswith(f"{serving.url}/gateway/queue/acme/img/")
    assert result.headers["x-fal-error-type"] == "x"
    assert serving.recorded() == []


def test_a_key_reaches_no_request_of_another_team(
    serving: Serving, http: httpx.Client, peer: Any, stranger: User
) -> None:
    make_queued(ID, team=Team.objects.get(name="Other"), person=stranger)
    for method, path in (
        ("GET", ""),
        ("GET", "/status"),
        ("GET", "/status/stream"),
        ("PUT", "/cancel"),
    ):
        got = http.request(method, f"/gateway/queue/acme/img/requests/{ID}{path}")
        assert (got.status_code, got.json()["status"]) == (404, "NOT_FOUND"), path
    assert peer.requests == []


KEYS = {
    "none": "",
    "fal's own": "Key id:secret",
    "not issued": "Key faldeck:fdk_abcdef",
    "a token as Bearer": "Bearer {token}",
    "a session's cookie alone": "",
}


@pytest.mark.parametrize("case", KEYS)
def test_without_a_virtual_key_nothing_passes(
    serving: Serving, key: str, peer: Any, case: str
) -> None:
    headers = (
        {"authorization": KEYS[case].format(token=key.partition(":")[2])} if KEYS[case] else {}
    )
    got = httpx.post(f"{serving.url}/gateway/run/acme/img", json={}, headers=headers)
    assert got.status_code == 401
    assert peer.requests == []


def test_a_viewer_reads_and_does_not_act(
    serving: Serving, peer: Any, viewer: User, team: Team
) -> None:
    headers = {"authorization": f"Key faldeck:{ApiToken.issue(viewer, team)}"}
    peer.will(says(200, {"status": "COMPLETED"}))
    for path in ("queue/acme/img", "run/acme/img"):
        assert (
            httpx.post(f"{serving.url}/gateway/{path}", json={}, headers=headers).status_code == 403
        )
    url = f"{serving.url}/gateway/queue/acme/img/requests/{ID}/status"
    assert httpx.get(url, headers=headers).status_code == 200


def test_a_redirect_is_passed_on_and_not_followed(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    peer.will(reply(307, b"", location="https://elsewhere.example/x"))
    got = http.post("/gateway/run/acme/img", json={})
    assert (got.status_code, got.headers["location"]) == (307, "https://elsewhere.example/x")
    assert len(peer.requests) == 1


TARGETS = {
    "https://fal.run/acme/img": 200,
    "https://fal.run.evil.example/acme/img": 400,
    "https://user@fal.run/acme/img": 400,
    "http://fal.run/acme/img": 400,
    "https://fal.run:8443/acme/img": 400,
    "https://fal.run/../x": 404,
    "https://rest.fal.ai/billing": 404,
    "": 400,
}


@pytest.mark.parametrize("target", TARGETS)
def test_the_proxy_of_the_javascript_client_reaches_fals_hosts_alone(
    serving: Serving, http: httpx.Client, peer: Any, target: str
) -> None:
    peer.will(says(200, {"ok": True}))
    headers = {"x-fal-target-url": target} if target else {}
    got = http.post("/gateway/proxy", json={"prompt": "x"}, headers=headers)
    assert got.status_code == TARGETS[target]
    assert [asked.target for asked in peer.requests] == (
        ["/run/acme/img"] if got.is_success else []
    )


# Of one connection, or different for each call.
OWN = {"date", "server", "connection", "transfer-encoding", "x-fal-request-id"}
CALLS = {
    "a run": ("POST", "run/sandbox/echo", b'{"number": 21}'),
    "a wrong input": ("POST", "run/sandbox/strict", b'{"prompt": "x"}'),
    "no JSON": ("POST", "run/sandbox/echo", b"{"),
    "an unknown app": ("POST", "run/sandbox/nothing", b"{}"),
    "a stream": ("POST", "run/sandbox/text/stream", b'{"words": 3, "delay_s": 0}'),
    "an unknown request": ("GET", f"queue/sandbox/echo/requests/{ID}", b""),
    "a wrong method": ("DELETE", f"queue/sandbox/echo/requests/{ID}/status", b""),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_reply_is_byte_for_byte_what_a_direct_call_gets(
    at_sandbox: Any, serving: Serving, http: httpx.Client, case: str
) -> None:
    method, path, body = CALLS[case]
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    key = {"authorization": "Key sandbox:sandbox"}
    direct = httpx.request(
        method, f"{at_sandbox.url}/{path}", content=body, headers=headers | key, timeout=30
    )
    passed = http.request(method, f"/gateway/{path}", content=body, headers=headers)
    assert (passed.status_code, passed.content) == (direct.status_code, direct.content)
    seen, wanted = ({name: text for name, text in reply.headers.items() if name not in OWN} for reply in (passed, direct))  # fmt: skip
    assert seen == wanted
    assert ("x-fal-request-id" in passed.headers) == ("x-fal-request-id" in direct.headers)


def test_a_call_too_many_is_answered_429_and_says_when(
    serving: Serving, http: httpx.Client, peer: Any, settings: Any
) -> None:
    settings.GATEWAY_CALLS_PER_MINUTE = 1
    application.buckets.forget()
    peer.will(reply(200, b"{}"))
    assert http.post("/gateway/run/acme/img", content=b"{}").status_code == 200
    refused = http.post("/gateway/run/acme/img", content=b"{}")
    assert refused.status_code == 429 and 1 <= int(refused.headers["retry-after"]) <= 60
    assert "1 calls in a minute" in refused.json()["detail"] and len(peer.requests) == 1


def test_a_submit_beyond_what_may_be_open_is_answered_429_in_fals_words_and_never_reaches_fal(
    serving: Serving, http: httpx.Client, peer: Any, settings: Any
) -> None:
    settings.OPEN_PER_TEAM = 1
    peer.will(reply(200, receipt(peer.url)))
    assert http.post("/gateway/queue/acme/img", content=b"{}").status_code == 200
    for path in ("queue/acme/img", "run/acme/img"):
        refused = http.post(f"/gateway/{path}", content=b"{}")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        assert "1 may be open at once" in refused.json()["detail"]
    assert len(peer.requests) == 1
