"""History, webhook deliveries, frames and logs, one JSON object a line, a page of rows at a time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from requests_app.models import Delivery, FalRequest, Frame, LogLine, Observation
from requests_app.runfile.facts import imported_run, time_text
from requests_app.runfile.layout import body_name
from requests_app.runfile.stripping import Stripper

AT_ONCE = 500
FRAME_BYTES = 1024 * 1024  # of frames in memory; one alone may be larger
IMPORTED = "imported"  # the observation that a run came as a file: it belongs to this copy alone


def observations(row: FalRequest) -> Iterator[bytes]:
    """Yield the history, oldest first; of an imported run that of its file, and what came here."""
    if run := imported_run(row):
        yield run.observations.encode()
    found = Observation.objects.filter(request=row).exclude(kind=IMPORTED)
    for one in _by_key(found):
        yield _line({
            "kind": one.kind, "source": one.source, "status": one.status, "note": one.note,
            "data": one.data, "asked_at": time_text(one.asked_at), "heard_at": time_text(one.heard_at),
        })  # fmt: skip


def deliveries(row: FalRequest) -> Iterator[bytes]:
    """Yield the webhook POSTs, oldest first; each body is a file of its own."""
    found = Delivery.objects.filter(request=row).defer("body")
    for number, one in enumerate(_by_key(found), 1):
        yield _line({
            "received_at": time_text(one.received_at), "verdict": one.verdict, "note": one.note,
            "headers": one.headers, "body_size": one.body_size, "body": body_name(number),
        })  # fmt: skip


def delivery_keys(row: FalRequest) -> list[int]:
    """Return the keys of the deliveries in their order."""
    return list(Delivery.objects.filter(request=row).order_by("pk").values_list("pk", flat=True))


def body_of(key: int) -> bytes:
    """Return the body of a delivery."""
    found = Delivery.objects.filter(pk=key).values_list("body", flat=True).first()
    return bytes(found or b"")


def logs(row: FalRequest) -> Iterator[bytes]:
    """Yield fal's log in its order."""
    for one in _by_key(LogLine.objects.filter(request=row)):
        yield _line(
            {name: getattr(one, name) for name in ("timestamp", "level", "source", "message")}
        )


def frames(row: FalRequest, stripper: Stripper) -> Iterator[bytes]:
    """Yield the record of a stream or session, by number."""
    for one in recorded(row):
        line: dict[str, Any] = {
            "number": one.number, "offset_ms": one.offset_ms, "direction": one.direction,
            "kind": one.kind, "event": one.event, "event_id": one.event_id, "data": one.data,
            "size": one.size, "pair": one.pair, "rtt_ms": one.rtt_ms, "says": one.says,
        }  # fmt: skip
        if one.raw is not None:  # in base64 no secret would be seen
            line["raw"] = base64.b64encode(stripper.strip(bytes(one.raw))).decode()
        yield _line(line)


def recorded(row: FalRequest) -> Iterator[Frame]:
    """Yield frames by number, about `FRAME_BYTES` of them in memory."""
    after = 0
    while True:
        following = Frame.objects.filter(request=row, number__gt=after).order_by("number")
        last = total = 0
        for number, size in following.values_list("number", "size")[:AT_ONCE]:
            total += size
            if last and total > FRAME_BYTES:
                break
            last = number
        if not last:
            return
        yield from list(following.filter(number__lte=last))
        after = last


def _by_key(found: QuerySet[Any]) -> Iterator[Any]:
    after = 0
    while some := list(found.filter(pk__gt=after).order_by("pk")[:AT_ONCE]):
        yield from some
        after = some[-1].pk


def _line(value: dict[str, Any]) -> bytes:
    return f"{json.dumps(value)}\n".encode()


TABLES: dict[str, Callable[[FalRequest, Stripper], Iterator[bytes]]] = {
    "observations.jsonl": lambda row, stripper: observations(row),
    "deliveries.jsonl": lambda row, stripper: deliveries(row),
    "frames.jsonl": frames,
    "logs.jsonl": lambda row, stripper: logs(row),
}
