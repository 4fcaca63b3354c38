"""What happened becomes messages: fal's deliveries with their own transaction, ends as the database has them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from requests_app.models import (
    ENDS,
    Delivery,
    FalRequest,
    ForwardDestination,
    ForwardEvent,
    ForwardMessage,
    Status,
)

AT_ONCE = 200  # ends of a destination in one look; the next look finds the others
OVERLAP = timedelta(minutes=10)  # looked at again: an end may be stored late
LONGEST = timedelta(hours=24)  # what ended before workers stood still for longer is not sent
NOTED_EVERY = timedelta(minutes=1)
MOST_WAITING = 2000  # of a destination: ends beyond stay where they are until some were sent
_MOST_ERROR = 500  # characters

logger = logging.getLogger(__name__)


def forward_delivery(delivery: Delivery, wanting: Sequence[ForwardDestination]) -> None:
    """Make the messages of a delivery, in its transaction: once for each destination."""
    ForwardMessage.objects.bulk_create(
        (
            _message(
                one, ForwardEvent.DELIVERY, f"delivery:{delivery.pk}", delivery.received_at,
                request_id=delivery.request_id, delivery=delivery.pk,
            )
            for one in wanting
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def new_test(destination: ForwardDestination, now: datetime) -> ForwardMessage:
    """Return a test, not stored yet."""
    body = _body(ForwardEvent.TEST, now, {"destination": destination.name})
    return _message(destination, ForwardEvent.TEST, f"test:{uuid4()}", now, body=body)


def look(now: datetime) -> int:
    """Look for requests that ended, for all destinations; return how many messages that makes."""
    own = Q(wants_completed=True) | Q(wants_failed=True) | Q(wants_cancelled=True)
    wanting = ForwardDestination.objects.filter(own, is_on=True).defer("encrypted")
    return sum(_look_for(one, now) for one in wanting)


def _look_for(destination: ForwardDestination, now: datetime) -> int:
    """The trouble of one is not the others'."""
    try:
        return _made(destination, now)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Ends for destination %s could not be looked at.", destination.pk)
        return 0


def _made(destination: ForwardDestination, now: datetime) -> int:
    waiting = ForwardMessage.objects.of(destination).filter(due_at__isnull=False)
    if waiting[:MOST_WAITING].count() >= MOST_WAITING:
        return 0
    looked_at = destination.looked_at or destination.since
    rows = _ended(destination, max(looked_at - OVERLAP, destination.since, now - LONGEST))
    ForwardMessage.objects.bulk_create(
        (_of_end(destination, row, now) for row in rows), ignore_conflicts=True
    )
    if len(rows) < AT_ONCE and now - looked_at >= NOTED_EVERY:
        ForwardDestination.objects.filter(pk=destination.pk).update(looked_at=now)
    return len(rows)


def _ended(destination: ForwardDestination, since: datetime) -> list[FalRequest]:
    statuses = [ENDS[event] for event in destination.events if event in ENDS]
    told = ForwardMessage.objects.of(destination).filter(
        request=OuterRef("pk"), event__in=list(ENDS)
    )
    rows = FalRequest.objects.made_here().filter(
        team=destination.team_id, ended_at__gte=since, status__in=statuses, payload_removed_at=None
    )
    if destination.pattern.endswith("*"):
        rows = rows.filter(endpoint_id__startswith=destination.pattern[:-1])
    elif destination.pattern:
        rows = rows.filter(endpoint_id=destination.pattern)
    found = rows.exclude(Exists(told)).select_related("person").without_payload()
    return list(found.order_by("ended_at")[:AT_ONCE])


_EVENTS = {status: event for event, status in ENDS.items()}


def _of_end(destination: ForwardDestination, row: FalRequest, now: datetime) -> ForwardMessage:
    event = _EVENTS[Status(row.status)]
    body = _body(event, row.ended_at or now, _told(row))
    return _message(destination, event, f"request:{row.pk}", now, request_id=row.pk, body=body)


def _told(row: FalRequest) -> dict[str, object]:
    """Return what an event tells of a request: never its input or output, which the API has."""
    base = settings.PUBLIC_URL
    page = reverse("requests:detail", args=[row.public_id])
    return {
        "id": str(row.public_id),
        "request_id": row.fal_request_id or None,
        "endpoint_id": row.endpoint_id,
        "mode": row.mode,
        "status": row.status,
        "error_type": row.error_type or None,
        "error": row.error[:_MOST_ERROR] or None,
        "created_by": row.person.get_username(),
        "created_at": _time(row.created_at),
        "ended_at": _time(row.ended_at),
        "url": f"{base}{page}" if base else None,
        "api_url": f"{base}/api/v1/requests/{row.public_id}/" if base else None,
    }


def _body(event: ForwardEvent, at: datetime, data: dict[str, object]) -> bytes:
    value = {"type": event.value, "timestamp": _time(at), "data": data}
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _message(
    destination: ForwardDestination,
    event: ForwardEvent,
    key: str,
    now: datetime,
    *,
    request_id: int | None = None,
    delivery: int | None = None,
    body: bytes = b"",
) -> ForwardMessage:
    return ForwardMessage(
        team_id=destination.team_id, destination=destination, key=key, message_id=f"msg_{uuid4().hex}",
        event=event, request_id=request_id, delivery=delivery, body=body, created_at=now,
        begun_at=now, due_at=now,
    )  # fmt: skip
