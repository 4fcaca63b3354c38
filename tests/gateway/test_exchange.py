"""Callers that leave, users who cancel, bodies of any size."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.gateway import application
from requests_app.models import FalRequest, Status
from tests.fal.peer import events, hang, reply
from tests.gateway.conftest import Serving, wait_for
from tests.gateway.test_application import ID, receipt

MB = 1024 * 1024


def post(
    serving: Serving, key: str, path: str, body: bytes = b'{"prompt": "x"}', *, more: int = 0
) -> socket.socket:
    """A call whose connection the test holds, and of whose body `more` bytes are not sent."""
    caller = socket.create_connection(("127.0.0.1", urlsplit(serving.url).port), timeout=30)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Key {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body) + more}\r\n\r\n"
    )
    caller.sendall(head.encode() + body)
    return caller


def test_a_submit_whose_caller_has_left_is_finished_and_followed(
    serving: Serving, key: str, peer: Any
) -> None:
    answers = peer_event(peer)

    async def later(writer: asyncio.StreamWriter) -> None:
        await answers.wait()
        await reply(200, receipt(peer.url))(writer)

    peer.will(later)
    caller = post(serving, key, "/gateway/queue/acme/img")
    wait_for(lambda: peer.requests)
    caller.close()
    peer.release(answers)
    wait_for(serving.recorded)
    (row,) = serving.recorded()
    assert (row.status, row.fal_request_id) == (Status.IN_QUEUE, ID)


@pytest.mark.parametrize("service", ["queue", "run"])
def test_a_caller_who_leaves_in_mid_body_has_made_no_call(
    serving: Serving, key: str, peer: Any, service: str
) -> None:
    caller = post(serving, key, f"/gateway/{service}/acme/img", bytes(MB), more=MB)
    wait_for(lambda: serving.run(calls_under_way()))
    caller.close()
    assert serving.recorded() == []
    assert peer.requests == []


async def calls_under_way() -> int:
    return len(application.station()._tasks)


def test_a_run_whose_caller_leaves_ends_at_fal_too(serving: Serving, key: str, peer: Any) -> None:
    peer.will(hang)
    caller = post(serving, key, "/gateway/run/acme/img")
    wait_for(lambda: FalRequest.objects.filter(status=Status.IN_PROGRESS).exists())
    caller.close()
    wait_for(lambda: FalRequest.objects.filter(status=Status.CANCELLED).exists())
    (row,) = serving.recorded()
    assert "hung up" in row.observations.latest("id").note
    assert len(peer.requests) == 1


def test_a_stream_whose_caller_leaves_keeps_the_events_that_came(
    serving: Serving, key: str, peer: Any
) -> None:
    peer.will(events(b'data: {"output": "a", "partial": true}\n\n', wait=peer_event(peer)))
    caller = post(serving, key, "/gateway/run/acme/llm/stream")
    wait_for(lambda: FalRequest.objects.filter(frames__number=1).exists())
    caller.close()
    wait_for(lambda: FalRequest.objects.filter(status=Status.CANCELLED).exists())
    (row,) = serving.recorded()
    assert b'"a"' in bytes(row.output)


def test_a_user_who_cancels_a_run_ends_it_for_the_program(
    serving: Serving, http: httpx.Client, peer: Any, owner: User
) -> None:
    peer.will(hang)
    got: list[httpx.Response] = []
    calling = threading.Thread(
        target=lambda: got.append(http.post("/gateway/run/acme/img", json={"prompt": "x"}))
    )
    calling.start()
    running = FalRequest.objects.filter(status=Status.IN_PROGRESS)
    wait_for(running.exists)
    lifecycle.ask_cancel(running.get().pk, person=owner, now=timezone.now())
    calling.join(90)
    assert [reply.status_code for reply in got] == [499]
    wait_for(lambda: FalRequest.objects.filter(status=Status.CANCELLED).exists())


def test_large_bodies_pass_whole_in_both_directions(
    serving: Serving, http: httpx.Client, peer: Any
) -> None:
    body, output = b'"%s"' % (b"x" * 20 * MB), b'"%s"' % (b"y" * 80 * MB)
    peer.will(reply(200, output))
    got = http.post("/gateway/run/acme/img", content=body)
    assert got.content == output
    assert peer.requests[0].body == body
    (row,) = serving.recorded()
    assert (row.status, row.input_text, row.output) == (Status.COMPLETED, "{}", None)
    notes = " ".join(row.observations.values_list("note", flat=True))
    assert "input is not kept" in notes
    assert "passed on and is not kept" in notes


def peer_event(peer: Any) -> asyncio.Event:
    """An event of the peer's loop."""

    async def made() -> asyncio.Event:
        return asyncio.Event()

    return asyncio.run_coroutine_threadsafe(made(), peer.loop).result(30)
