"""Run Daphne in this process: bounded, with a graceful stop."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import daphne.server  # noqa: F401  (chooses the reactor, which the next import takes)
from django.core.exceptions import ImproperlyConfigured
from twisted.internet import reactor
from twisted.internet.endpoints import quoteStringArgument

from dashboard import bounded
from dashboard.stopping import GracefulServer

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

# Bytes of one message from a browser: fal takes 16 MiB, which are 22 in base64.
MESSAGE_LIMIT = 24 * 1024 * 1024
# Connections that wait to be accepted. With Twisted's 50 a crowd that comes back after a restart loses
# its first packets, and each waits a second or more to send them again.
BACKLOG = 4096
# How long the event loop waits for a thread that computes, when it has something to pass on. With Python's 5 ms a
# call through the gateway waited that long for the record of the one before, which is written beside it.
SWITCH_S = 0.0005
# Daphne gives a handshake five seconds. A crowd that comes back needs longer for the last of it, and
# cutting those off would only make them start again.
HANDSHAKE_S = 60


def free_port(host: str, port: int) -> int:
    """Return the port if it is free (0: any free one). Raises ImproperlyConfigured."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ImproperlyConfigured(
                f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --port."
            ) from error
        taken: int = probe.getsockname()[1]
        return taken


def serve(
    application: Any,
    host: str,
    port: int,
    *,
    tls: Path | None = None,
    streamed: str = "",
    on_ready: Callable[[], None],
    on_loop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests in progress.

    `tls` is a file with key and certificate: then HTTPS and WSS alone. Paths that begin with `streamed` get
    bodies as they come. `on_loop` is called once on the event loop that serves.
    """
    allow_open_files()
    bounded.install(streamed=streamed)
    server = GracefulServer(
        application=application,
        endpoints=[_endpoint(host, port, tls)],
        ready_callable=on_ready,
        verbosity=0,
        server_name="faldeck",
        websocket_max_message_size=MESSAGE_LIMIT,
        websocket_max_frame_size=MESSAGE_LIMIT,
        websocket_connect_timeout=HANDSHAKE_S,
        websocket_handshake_timeout=HANDSHAKE_S,
        application_close_timeout=3,
    )
    # Loaded objects stay: a full garbage collection would stop every relay for 40 ms.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
    later: Any = reactor
    later.callLater(0, on_loop)
    server.run()
    _end_of_loop()


def _endpoint(host: str, port: int, tls: Path | None) -> str:
    """Return Twisted's description of where to listen."""
    quoted: Any = quoteStringArgument
    kind = f"ssl:privateKey={quoted(str(tls))}" if tls else "tcp"
    return f"{kind}:port={port}:interface={quoted(host)}:backlog={BACKLOG}"


def allow_open_files() -> None:
    """Raise the limit of open files as far as this user may: each open page is one.

    The usual 1,024 would refuse the thousandth page, and the database its files.
    """
    if resource is not None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(OSError, ValueError):  # macOS has an upper limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _end_of_loop() -> None:
    """End the tasks that open sockets and streams left on the loop; otherwise the interpreter
    crashes.
    """
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()
