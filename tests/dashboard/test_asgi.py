"""One visit to one thread for a request's middleware and view; what is async stays on the loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from dashboard.asgi import OneThread, socket_paths

seen: list[str] = []


@sync_and_async_middleware
def noting(get_response: Any) -> Any:
    """As all of Django's: it could be async, and is then called on the loop."""
    assert not iscoroutinefunction(get_response)

    def noted(request: HttpRequest) -> HttpResponse:
        seen.append(threading.current_thread().name)
        response: HttpResponse = get_response(request)
        seen.append(threading.current_thread().name)
        return response

    return noted


def plain(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse("ok")


async def later(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    await asyncio.sleep(0)
    return HttpResponse(await sync_to_async(lambda: "later")())


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("plain", plain), path("later", later), path("broken", broken)]


@pytest.fixture
def handler(settings: Any) -> OneThread:
    seen.clear()
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.noting"]
    return OneThread()


async def answer(handler: OneThread, where: str) -> tuple[int, bytes]:
    scope = {
        "type": "http", "method": "GET", "path": where, "query_string": b"",
        "headers": [(b"host", b"testserver")],
    }  # fmt: skip
    caller = ApplicationCommunicator(handler, scope)
    await caller.send_input({"type": "http.request", "body": b""})
    head, body = await caller.receive_output(10), await caller.receive_output(10)
    await caller.wait(10)
    return head["status"], body["body"]


async def test_middleware_and_view_share_a_thread_that_is_not_the_loops(handler: OneThread) -> None:
    assert await answer(handler, "/plain") == (200, b"ok")
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert seen[0] != threading.current_thread().name


async def test_a_view_that_is_async_runs_on_the_loop(handler: OneThread) -> None:
    assert await answer(handler, "/later") == (200, b"later")
    assert seen[1] == threading.current_thread().name
    assert seen[0] == seen[2] != seen[1]


async def test_a_view_that_fails_is_answered_with_500(
    handler: OneThread, caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = await answer(handler, "/broken")
    assert status == 500
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("at", ["/", "/ws", "/ws/other/", "/ws/realtime/x"])
async def test_a_socket_of_no_path_is_refused_and_is_no_error(at: str) -> None:
    socket = ApplicationCommunicator(socket_paths, {"type": "websocket", "path": at})
    await socket.send_input({"type": "websocket.connect"})
    assert await socket.receive_output(20) == {"type": "websocket.close", "code": 4404}
    await socket.wait(20)
