from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from requests_app.fal import EndpointId, FalClient, Hosts, RequestUrls, Timeouts, urls_for

from .peer import Peer

KEY = "id-123:secret-456"
REQUEST_ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
QUICK = Timeouts(
    connect_s=10, pool_s=10, read_s=1.2, submit_s=1.5, status_s=1.5, result_s=1.5, cancel_s=1.5,
    listing_s=1.5, status_idle_s=1.2, stream_idle_s=1.2,
)  # fmt: skip


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A peer that answers as the test tells it."""
    peer = Peer()
    await peer.start()
    yield peer
    await peer.stop()


@pytest.fixture
def hosts(peer: Peer) -> Hosts:
    return hosts_at(peer.url)


def hosts_at(url: str) -> Hosts:
    return Hosts(
        run=f"{url}/run",
        queue=f"{url}/queue",
        realtime=url.replace("http", "ws") + "/realtime",
        rest=f"{url}/rest",
        api=f"{url}/api",
        jwks=f"{url}/rest/.well-known/jwks.json",
    )


@pytest.fixture
def endpoint() -> EndpointId:
    return EndpointId.parse("fal-ai/flux/dev")


@pytest.fixture
def urls(hosts: Hosts, endpoint: EndpointId) -> RequestUrls:
    return urls_for(hosts, endpoint, REQUEST_ID)


@pytest.fixture
async def fal(hosts: Hosts) -> AsyncIterator[FalClient]:
    async with FalClient(hosts, KEY, timeouts=QUICK) as client:
        yield client
