"""What every socket needs: nothing of it stays behind, however it ends."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from autobahn.websocket.protocol import WebSocketProtocol
from channels.testing import WebsocketCommunicator

from requests_app.consumers.base import INTERNAL_ERROR, Consumer

pytestmark = pytest.mark.django_db  # Channels looks after this thread's connections at the end


class Worker(Consumer):
    """Works beside the socket until it ends."""

    ends: list[str] = []

    async def connect(self) -> None:
        await self.accept()
        self.begin(self._work())

    async def _work(self) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            self.ends.append("worked")

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if content == "break":
            raise ValueError("a bug in a handler")
        if content == "fail beside":
            self.begin(self._fail())
        if content == "close":
            self.begin(self.close(code=4000))

    async def _fail(self) -> None:
        raise ValueError("a bug in a task")


@pytest.fixture
def socket() -> WebsocketCommunicator:
    Worker.ends = []
    return WebsocketCommunicator(Worker.as_asgi(), "/")


async def test_tasks_end_with_the_socket(socket: WebsocketCommunicator) -> None:
    await socket.connect(timeout=30)
    await asyncio.sleep(0)
    await socket.disconnect(timeout=30)
    assert Worker.ends == ["worked"]


async def test_tasks_end_when_a_handler_fails(socket: WebsocketCommunicator) -> None:
    await socket.connect(timeout=30)
    await socket.send_json_to("break")
    with pytest.raises(ValueError, match="a bug in a handler"):
        await socket.wait(timeout=30)
    assert Worker.ends == ["worked"]


async def test_tasks_end_when_the_server_cuts_the_socket_off(socket: WebsocketCommunicator) -> None:
    await socket.connect(timeout=30)
    await asyncio.sleep(0.01)
    socket.future.cancel()
    await asyncio.gather(socket.future, return_exceptions=True)
    assert Worker.ends == ["worked"]


async def test_a_task_that_fails_closes_the_socket_and_is_logged(
    socket: WebsocketCommunicator, caplog: pytest.LogCaptureFixture
) -> None:
    await socket.connect(timeout=30)
    with caplog.at_level(logging.ERROR):
        await socket.send_json_to("fail beside")
        closed = await socket.receive_output(timeout=30)
    assert (closed["type"], closed["code"]) == ("websocket.close", INTERNAL_ERROR)
    assert "a bug in a task" in caplog.text
    await socket.disconnect(timeout=30)


async def test_a_task_may_close_the_socket_it_belongs_to(socket: WebsocketCommunicator) -> None:
    await socket.connect(timeout=30)
    await socket.send_json_to("close")
    assert (await socket.receive_output(timeout=30))["code"] == 4000
    await socket.disconnect(timeout=30)
    assert Worker.ends == ["worked"]


async def test_a_message_of_an_unknown_type_is_a_bug_that_shows(
    socket: WebsocketCommunicator,
) -> None:
    await socket.connect(timeout=30)
    await socket.send_input({"type": "nothing.known"})
    with pytest.raises(ValueError, match=r"nothing\.known"):
        await socket.wait(timeout=30)


def test_the_code_of_a_failed_task_is_one_that_daphne_sends() -> None:
    sent: list[object] = []
    socket = WebSocketProtocol()
    socket.sendCloseFrame = lambda code, **_: sent.append(code)
    socket.state = WebSocketProtocol.STATE_OPEN
    socket.sendClose(INTERNAL_ERROR)
    assert sent == [INTERNAL_ERROR]
