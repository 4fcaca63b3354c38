"""Before a call to fal's queue: is it there? While it is not, one harmless call a second asks."""

from __future__ import annotations

from uuid import uuid4

from django.utils import timezone

from requests_app.fal import EndpointId, FalError, urls_for
from requests_app.worker.breaker import take_probe
from requests_app.worker.loop import hosts_from_settings, watch_loop


async def is_shut(endpoint_id: str) -> bool:
    """Whether the row has to wait; it stays due, and its tries are not used up."""
    breaker = watch_loop.breaker()
    if breaker.may_probe() and await watch_loop.database(
        take_probe, breaker.name, now=timezone.now()
    ):
        await _probe(endpoint_id)
    return breaker.is_open


async def _probe(endpoint_id: str) -> None:
    """Ask for the status of a request that never was: "unknown" is an answer, and it is free.

    A waiting submit is no probe: a 503 would leave it uncertain.
    """
    urls = urls_for(hosts_from_settings(), EndpointId.parse(endpoint_id), str(uuid4()))
    try:
        with watch_loop.breaker().listening():
            await watch_loop.client().status(urls, logs=False)
    except FalError:
        pass
