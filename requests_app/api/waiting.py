"""Long poll: the body of a reply comes when the request has ended, at most after the seconds asked for.

As `?wait=30`, or as `Prefer: wait=30` (RFC 7240). A program that follows this way gets the quick pace of
polling, like an open page. The reply is a stream, so that no thread waits; its status is sent at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

from channels.db import database_sync_to_async
from django.http import StreamingHttpResponse
from ninja import Schema
from pydantic import ConfigDict, Field

from requests_app.api.auth import token_of
from requests_app.api.seats import Seat, Seats
from requests_app.models import ApiToken
from requests_app.record.follow import ended_within

LONGEST_S = 60
MAX_WAITS = 100  # at once per token, in this process

_PREFER = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,9})\"?(?=$|[,;\s])", re.IGNORECASE)
_seats = Seats()


class Waiting(Schema):
    """How long a call may wait for the end of the request."""

    model_config = ConfigDict(extra="forbid")

    wait: Annotated[
        float | None,
        Field(
            ge=0,
            le=LONGEST_S,
            allow_inf_nan=False,
            description="Seconds to wait for the end of the request. `Prefer: wait=…` means the same.",
        ),
    ] = None


def seconds_of(waiting: Waiting, prefer: str | None) -> float:
    """Return the seconds to wait. Of a preference only what can be granted counts, as its RFC says."""
    if waiting.wait is not None:
        return waiting.wait
    found = _PREFER.search(prefer or "")
    return min(float(found[1]), LONGEST_S) if found else 0


def take_seat(token: ApiToken, seconds: float) -> Seat | None:
    """Count a call that will wait. Raises TooManyStreams, before anything is done."""
    sentence = f"At most {MAX_WAITS} calls of a token may wait at once."
    return _seats.take(token, MAX_WAITS, sentence) if seconds else None


def held(
    request: Any, pk: int, seat: Seat, seconds: float, text: Callable[[], str], *, status: int
) -> StreamingHttpResponse:
    """Reply with `status` now and with the JSON `text` when the request has ended."""
    return StreamingHttpResponse(
        _body(request, pk, seat, seconds, text),
        status=status,
        content_type="application/json; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
    )


async def _body(
    request: Any, pk: int, seat: Seat, seconds: float, text: Callable[[], str]
) -> AsyncGenerator[str]:
    """Yield the body; holds the seat until it is finished or garbage-collected."""
    await ended_within(pk, seconds)
    if token := await database_sync_to_async(token_of)(request):
        request.auth = token  # with the rights of now
        yield await database_sync_to_async(text)()
    else:  # revoked meanwhile
        yield json.dumps({"detail": "A valid API token is needed."})
