"""Metrics for Prometheus. Database figures are queried at each scrape; all others are counted in the
process where they happen, so every process has to be scraped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from requests_app.copies.rules import copy_counts
from requests_app.models import FalRequest, Heartbeat, Status

REGISTRY = CollectorRegistry()  # without the default metrics about Python itself

WEBHOOKS = Counter(
    "faldeck_webhooks", "Webhook POSTs by our verdict.", ["verdict"], registry=REGISTRY
)
RELAYED = Counter(
    "faldeck_relayed_bytes",
    "Bytes of stream events and session messages, as on the wire.",
    ["direction"],
    registry=REGISTRY,
)
STEPS = Histogram(
    "faldeck_step_seconds",
    "How long one step of a request took, with waiting for its turn.",
    ["step"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
FAILED_LOOKS = Counter(
    "faldeck_failed_looks",
    "Looks and other steps of a request that failed, by cause: exception, unanswered, refused.",
    ["cause"],
    registry=REGISTRY,
)
GATEWAY_CALLS = Counter(
    "faldeck_gateway_calls", "Calls that passed the gateway.", ["operation"], registry=REGISTRY
)
GATEWAY_MISSED = Counter(
    "faldeck_gateway_missed",
    "Calls that passed the gateway and are not recorded, or not whole, by reason.",
    ["reason"],
    registry=REGISTRY,
)
BREAKER = Gauge(
    "faldeck_fal_away", "1 while fal's queue does not answer this process.", registry=REGISTRY
)


class Database(Collector):
    """Metrics of the whole installation, the same from every process."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Query the metrics; return none while the database is down: alerts can fire on missing metrics."""
        try:
            families = [
                _by_status(),
                _failing(),
                _copies(timezone.now()),
                _lag(timezone.now()),
                _age_of_sweep(timezone.now()),
            ]
        except DatabaseError:
            return
        finally:
            if not connection.in_atomic_block:
                close_old_connections()  # a worker serves each scrape in a thread of its own
        yield from families


def _by_status() -> GaugeMetricFamily:
    family = GaugeMetricFamily("faldeck_requests", "Requests by status.", labels=["status"])
    counted = dict(FalRequest.objects.values_list("status").annotate(n=Count("pk")).order_by())
    for status in Status.values:
        family.add_metric([status], counted.get(status, 0))
    return family


def _failing() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "faldeck_failing_requests",
        "Requests whose last steps, three or more, have all failed.",
        value=FalRequest.objects.failing().count(),
    )


def _copies(now: datetime) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "faldeck_copies", "Copies of media that wait, or failed within a day.", labels=["state"]
    )
    waiting, failed = copy_counts(now)
    family.add_metric(["waiting"], waiting)
    family.add_metric(["failed"], failed)
    return family


def _lag(now: datetime) -> GaugeMetricFamily:
    """Measure how long the oldest due step has waited without a lease."""
    oldest = FalRequest.objects.due(now).aggregate(at=Min("due_at"))["at"]
    return GaugeMetricFamily(
        "faldeck_sweep_lag_seconds",
        "For how long the oldest due step has waited.",
        value=(now - oldest).total_seconds() if oldest else 0,
    )


def _age_of_sweep(now: datetime) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "faldeck_sweep_age_seconds", "Since a worker last showed that it sweeps."
    )
    if beat := Heartbeat.objects.filter(part="sweep").first():
        family.add_metric([], (now - beat.at).total_seconds())
    return family


REGISTRY.register(Database())


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
