"""Replies that arrive in parts: a model's own stream, a queued request's status stream."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from .call import Call
from .endpoints import RequestUrls
from .errors import NotAStream, TooLargeEvent, Unanswered
from .failures import failures_named
from .jsontext import NO_JSON, NotJson, parse_with_items, value_of
from .replies import read_stream_refusal
from .reports import StatusReport, parse_status
from .result_replies import read_run_result
from .sse import EventTooLarge, SseDecoder, SseEvent
from .transport import HELD, Wire, ensure_readable, header_map, read_reply

EVENT_STREAM = "text/event-stream"
_UNTOLD = ("", "application/octet-stream")
_EVENT_FIELD = re.compile(rb"(\xef\xbb\xbf)?(data|event|id|retry)?:")

StreamEvent = SseEvent


@dataclass(frozen=True)
class Stream:
    """An open stream. ``batches`` are events that arrived together, at least one; it ends when fal
    ends it in order (the events tell whether it is whole) and raises Unanswered when the
    connection breaks. ``half`` returns, once, what was received of an event that was cut.
    """

    request_id: str | None
    content_type: str
    batches: AsyncIterator[list[StreamEvent]]
    half: Callable[[], list[StreamEvent]]


def status_stream_url(urls: RequestUrls) -> str:
    """Return the address of a queued request's status stream."""
    url = httpx.URL(urls.status)
    return str(url.copy_with(path=f"{url.path}/stream"))


def status_of(event: StreamEvent) -> StatusReport:
    """Parse an event of a status stream. Raises Unanswered."""
    try:
        return parse_status(parse_with_items(event.data.encode("utf-8"), "logs"))
    except NotJson as exc:
        raise Unanswered("An event of the status stream is not readable.", retryable=True) from exc


@asynccontextmanager
async def events_of(wire: Wire, call: Call) -> AsyncIterator[Stream]:
    """Make the call and read its reply as events. Raises NotSent, Refused, Unanswered or NotAStream."""
    async with wire.opened(call) as response:
        if not response.is_success:
            with failures_named(call):
                reply = await read_reply(response, wire.limits.reply, call)
            raise read_stream_refusal(reply, retryable=not call.is_paid)
        ensure_readable(response, call)
        headers = header_map(response)
        content_type = headers.get("content-type", "")
        decoder = SseDecoder(wire.limits.event)
        async with aclosing(_read(response, content_type, decoder, wire, call)) as batches:
            half = partial(decoder.close, is_broken=True)
            yield Stream(headers.get("x-fal-request-id"), content_type, batches, half)


async def _read(
    response: httpx.Response, content_type: str, decoder: SseDecoder, wire: Wire, call: Call
) -> AsyncGenerator[list[StreamEvent]]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == EVENT_STREAM:
        source = _sse(response, decoder)
    else:
        source = _whole(response, media_type, decoder, wire, call)
    with failures_named(call):
        async with aclosing(source) as batches:
            async for events in batches:
                if events:
                    yield events


async def _sse(response: httpx.Response, decoder: SseDecoder) -> AsyncGenerator[list[StreamEvent]]:
    try:
        async for chunk in response.aiter_bytes():
            yield decoder.feed(chunk)
    except EventTooLarge as exc:
        raise TooLargeEvent(str(exc), status_code=response.status_code) from exc
    yield decoder.close()


async def _whole(
    response: httpx.Response, media_type: str, decoder: SseDecoder, wire: Wire, call: Call
) -> AsyncGenerator[list[StreamEvent]]:
    is_json = media_type == "application/json" or media_type.endswith("+json")
    held = wire.limits.event if is_json else HELD
    reply = await read_reply(response, wire.limits.result, call, held=held)
    # Not by the reply, which would keep the value beside its text.
    if is_json and reply.rest is None and value_of(reply.body) is not NO_JSON:
        yield [StreamEvent("", reply.body.decode("utf-8-sig"), None, len(reply.body))]
    elif media_type in _UNTOLD and reply.rest is None and _EVENT_FIELD.match(reply.body):
        yield decoder.feed(reply.body)
        yield decoder.close()
    else:
        raise NotAStream(read_run_result(reply), retryable=not call.is_paid)
