"""The sandbox as a server: in a thread of its own, or as the whole process."""

from __future__ import annotations

import asyncio
import logging
import socket
import sqlite3
import threading
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from requests_app.faults.rules import Faults

from .app import build_app
from .config import DEFAULT_KEY, Settings, Tuning
from .ledger import Entry
from .sandbox import build
from .store import Store

logger = logging.getLogger(__name__)
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


class Protocol(H11Protocol):
    """Lets a route reach its connection, which faults close."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server(uvicorn.Server):
    """Tells when it is ready, and does not wait for streams that would go on for minutes."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = threading.Event()

    def wait_until_ready(self, seconds: float) -> bool:
        return self._ready.wait(seconds) and self.started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, Protocol):
                connection.transport.abort()
        await super().shutdown(sockets)


class SandboxServer:
    """A fal on this machine.

    `port=0` takes a free one. `state` is an SQLite file that outlives a kill; without it
    everything ends with `stop()`. `public_url` is how callers reach it, when that is not
    `http://host:port`. Webhooks to https are sent to servers
    whose certificate `trusted` vouches for, a file; the usual authorities without it. `.faults` and `.ledger` may be used from any thread.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | None = None,
        keys: set[str] | frozenset[str] = frozenset({DEFAULT_KEY}),
        *,
        public_url: str | None = None,
        trusted: Path | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self.host, self.port, self.state = host, port, state
        self.keys, self.tuning = frozenset(keys), tuning or Tuning()
        self.faults = Faults()
        self._public_url, self._trusted = public_url, trusted
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base URL without a slash at the end; the port is known once started."""
        if self._public_url:
            return self._public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else self.host  # noqa: S104  # nosec B104  # compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def ledger(self) -> list[Entry]:
        """Every accepted submit, run and stream, oldest first."""
        return self._ledger.entries

    def start(self) -> SandboxServer:
        """Returns when it answers. Raises OSError for a taken port, sqlite3.Error for the file."""
        listener = self._prepare()
        self._thread = threading.Thread(
            target=self._serve, args=(listener,), name="sandbox", daemon=True
        )
        self._thread.start()
        if self._server is None or not self._server.wait_until_ready(START_TIMEOUT_S):
            raise RuntimeError("the sandbox did not start")
        return self

    def stop(self) -> None:
        """Ends open streams and sockets, and returns when the thread is gone. May be repeated."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def serve_forever(self) -> None:
        """The whole process is the sandbox: until SIGINT or SIGTERM."""
        listener = self._prepare()
        logger.info("fal sandbox at %s", self.url)
        self._serve(listener)

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> socket.socket:
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        try:
            self._store = Store(self.state)
        except sqlite3.Error:
            listener.close()
            raise
        settings = Settings(self.url, self.keys, self.tuning, self._trusted)
        sandbox = build(settings, self._store, self.faults)
        self._ledger = sandbox.ledger
        self._server = Server(_config(build_app(sandbox)))
        return listener

    def _serve(self, listener: socket.socket) -> None:
        if self._server is None:
            return
        try:
            asyncio.run(self._server.serve([listener]))
        finally:
            self._store.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only then, and without it every reply
    # waits 40 ms for the caller's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=Protocol,
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="on",
        log_config=None,  # The embedding process owns the logging.
        access_log=False,
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
