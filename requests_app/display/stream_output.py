"""What the output of a stream is, for the heading above it."""

from __future__ import annotations

from enum import StrEnum

from django.db.models.functions import Substr

from requests_app.models import FalRequest, Mode
from requests_app.rules.stream_event import Says, read_event

LOOKED_AT = (
    200  # of the newest events; behind the output come closing and keep-alive events, if any
)
_CARRY = (Says.OUTPUT, Says.ERROR)


class StreamOutput(StrEnum):
    """Where a stream's output came from."""

    OUTPUT = "output"  # the last event that carries one
    NOTE = "note"  # an event about the work: no other came
    ERROR = "error"  # the event that reports the error
    REPLY = "reply"  # no event: fal answered with something else than a stream


def output_of_stream(row: FalRequest, body: bytes, *, is_full: bool) -> StreamOutput | None:
    """Return what the output, which begins with `body`, is; None when it is none of a stream.

    `is_full`: the record ended before the stream, so its newest event is not the output's.
    """
    if row.mode != Mode.STREAM or not body:
        return None
    has_all = not is_full and row.frames_removed_at is None
    newest = row.frames.order_by("-number")
    heads = newest.values_list("says", Substr("data", 1, 100))[:LOOKED_AT] if has_all else ()
    says = next((says for says, head in heads if says in _CARRY and head.strip()), None)
    if says is None and has_all and not heads:
        return StreamOutput.REPLY
    # Recorded before what an event says was kept, or no longer there: judge it by its words.
    says = says or read_event("", body.decode("utf-8", "replace")).says
    return _BY_SAYS.get(Says(says), StreamOutput.NOTE)


_BY_SAYS = {Says.OUTPUT: StreamOutput.OUTPUT, Says.ERROR: StreamOutput.ERROR}
