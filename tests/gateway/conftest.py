"""The gateway on a real socket in a thread, a virtual key, and fal as a script or as the sandbox."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from django.contrib.auth.models import User

from requests_app.gateway import application, sockets
from requests_app.models import ApiToken, FalRequest, Team
from tests.worker.conftest import loop as loop
from tests.worker.conftest import peer as peer
from tests.worker.conftest import until as until


@dataclass
class Serving:
    """Where the gateway listens, and its loop."""

    url: str
    loop: asyncio.AbstractEventLoop

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine on the gateway's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def recorded(self) -> list[FalRequest]:
        """Every row, once all that passed is recorded."""
        self.run(_idle())
        return list(FalRequest.objects.order_by("id"))


async def _idle() -> None:
    await application.station().idle()


async def _application(scope: Any, receive: Any, send: Any) -> None:
    app = sockets.gateway_socket if scope["type"] == "websocket" else application.gateway
    await app(scope, receive, send)


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Leave the signals to pytest."""


@pytest.fixture
def serving(transactional_db: None, settings: Any, tmp_path: Any) -> Iterator[Serving]:
    """The gateway, without Django around it."""
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = ""
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    config = uvicorn.Config(_application, port=0, log_level="critical", lifespan="off")
    server = _Server(config)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()
        await application.station().aclose()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Serving(f"http://127.0.0.1:{port}", loops[0])
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def key(owner: User, team: Team, transactional_db: None) -> str:
    """The owner's virtual key."""
    return f"faldeck:{ApiToken.issue(owner, team)}"


@pytest.fixture
def http(serving: Serving, key: str) -> Iterator[httpx.Client]:
    """A program with the virtual key."""
    with httpx.Client(
        base_url=serving.url, headers={"authorization": f"Key {key}"}, timeout=60
    ) as client:
        yield client


def wait_for(wanted: Callable[[], Any], seconds: float = 60) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
