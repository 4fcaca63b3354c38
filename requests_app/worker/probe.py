"""While the circuit breaker is open, probe fal's queue once a second with a harmless call."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from django.db.models import Q
from django.utils import timezone

from requests_app.fal import EndpointId, FalError, urls_for
from requests_app.keys import Key
from requests_app.models import Heartbeat
from requests_app.worker.breaker import PROBE_EVERY
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import connections, pool


async def must_wait(endpoint_id: str, key: Key) -> bool:
    """Return whether calls to fal's queue must wait, after probing it if a probe is due.

    The row stays due and its tries are not counted.
    """
    breaker = connections.breaker(endpoint_id)
    if breaker.may_probe() and await pool.in_database(take_probe, breaker.name, now=timezone.now()):
        await _probe(endpoint_id, key)
    return breaker.is_open


def take_probe(name: str, *, now: datetime) -> bool:
    """Take the right to probe in this second; one process on this database gets it.

    A time in the future comes from another machine's wrong clock and blocks nothing.
    """
    part = f"probe {name}"
    Heartbeat.objects.get_or_create(part=part, defaults={"at": datetime.min.replace(tzinfo=UTC)})
    is_free = Q(at__lte=now - PROBE_EVERY) | Q(at__gt=now + PROBE_EVERY)
    return bool(Heartbeat.objects.filter(is_free, part=part).update(at=now))


async def _probe(endpoint_id: str, key: Key) -> None:
    """Ask for the status of a request that does not exist: "unknown" is an answer, and it is free.

    A waiting submit cannot be the probe: a 503 would leave it uncertain.
    """
    urls = urls_for(hosts_from_settings(), EndpointId.parse(endpoint_id), str(uuid4()))
    # A key that cannot be used asks without one: also "not allowed" is an answer.
    client = connections.client(Key(None, "", "") if key.problem else key)
    try:
        with connections.breaker(endpoint_id).listening():
            await client.status(urls, logs=False)
    except FalError:
        pass
