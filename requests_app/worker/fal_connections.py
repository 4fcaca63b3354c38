"""What the worker's calls to fal share: the HTTP client, the circuit breaker, the concurrency limits."""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache

from django.conf import settings

from dashboard.local_apps import app_of
from requests_app.fal import FalClient, Hosts
from requests_app.fal.sessions import client_over
from requests_app.fal.transport import ReplyLimits
from requests_app.keys import Key
from requests_app.localqueue.queue import DatabaseCall
from requests_app.localqueue.transport import LocalTransport
from requests_app.worker.breaker import Breaker
from requests_app.worker.submit_limit import SubmitLimit

CALLS_AT_ONCE = 64  # concurrent short calls to fal; streams and runs do not count
# Rows leased for a poll at once. More than calls, for some wait for the database meanwhile, and the more of
# them wait the fewer statements they need.
LOOKS_AT_ONCE = 256
LISTS_AT_ONCE = (
    4  # concurrent list calls: their replies are large, and that host has limits of its own
)


class FalConnections:
    """Bound to one event loop; `reset` binds it to the running one. Not thread-safe.

    `database` runs a blocking function off the loop: the queue of own apps is there.
    """

    def __init__(self, database: DatabaseCall) -> None:
        self._database = database
        self._local: LocalTransport | None = None
        self._clients: dict[tuple[Hosts, str], FalClient] = {}
        self._breakers: dict[str, Breaker] = {}
        self.reset()

    def reset(self) -> None:
        """Make new semaphores: each belongs to the event loop it was first used on."""
        self.calls = asyncio.Semaphore(CALLS_AT_ONCE)
        self.looks = asyncio.Semaphore(LOOKS_AT_ONCE)
        self.lists = asyncio.Semaphore(LISTS_AT_ONCE)
        self.submits = SubmitLimit()

    def client(self, key: Key) -> FalClient:
        """Return the client for the configured hosts and this key; call it on the event loop.

        Raises NotSent for a key that cannot be used.
        """
        key.ensure_usable()
        place = hosts_from_settings(), key.secret
        if place not in self._clients:
            limits = ReplyLimits(result=settings.OUTPUT_LIMIT_BYTES)
            local = self._transport()
            client = client_over(local) if local else None
            self._clients[place] = FalClient(*place, limits=limits, client=client)
        return self._clients[place]

    def _transport(self) -> LocalTransport | None:
        """Return what knows own apps; None without any, for fal's own has less between it and the wire."""
        if settings.LOCAL_APPS and self._local is None:
            self._local = LocalTransport(self._database)
        return self._local

    def breaker(self, endpoint_id: str = "") -> Breaker:
        """Return the circuit breaker of the queue that has this endpoint; use it on the event loop.

        All keys share it: what fal objects to a key is an answer, and no outage. Own apps have another one.
        """
        queue_and_key = f"{settings.FAL_QUEUE_URL} {settings.FAL_KEY}"
        if app := app_of(endpoint_id):
            queue_and_key = f"local {app.id}"
        if queue_and_key not in self._breakers:
            name = hashlib.sha256(queue_and_key.encode()).hexdigest()[:12]
            self._breakers[queue_and_key] = Breaker(name)
        return self._breakers[queue_and_key]

    async def aclose(self) -> None:
        """Close the clients and forget what the breakers counted."""
        for client in self._clients.values():
            await client.aclose()
        if self._local is not None:
            await self._local.aclose()
        self._local = None
        self._clients.clear()
        self._breakers.clear()


def hosts_from_settings() -> Hosts:
    """Return fal's addresses; they come from the server's configuration only."""
    return _checked(
        run=settings.FAL_RUN_URL,
        queue=settings.FAL_QUEUE_URL,
        realtime=settings.FAL_REALTIME_URL,
        rest=settings.FAL_REST_URL,
        api=settings.FAL_API_URL,
        jwks=settings.FAL_JWKS_URL,
    )


@lru_cache(maxsize=8)
def _checked(**hosts: str) -> Hosts:
    return Hosts(**hosts)  # parses six addresses; every poll asks for them
