from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from requests_app.fal import (
    EndpointId,
    FalClient,
    Refused,
    ReplyLimits,
    RequestUrls,
    StatusReport,
    StreamEvent,
    TooLarge,
    Unanswered,
)

from .conftest import KEY, QUICK, REQUEST_ID, hosts_at
from .peer import Peer, events, html, reply, reset, says


async def gather(fal: FalClient, endpoint: EndpointId) -> list[StreamEvent]:
    async with fal.stream(endpoint, b'{"prompt":"x"}', {}) as stream:
        return [event async for events in stream.batches for event in events]


async def test_events_come_as_they_are_sent(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    more = asyncio.Event()
    peer.will(
        events(b'event: step\nid: 1\ndata: {"t":"a\xe2\x80', b'\xa8b"}\n\n: ping\n\n', wait=more)
    )
    async with fal.stream(endpoint, b'{"prompt":"x"}', {"X-Fal-Runner-Hint": "h"}) as stream:
        [first] = await anext(stream.batches)
        assert (first.name, first.data, first.event_id) == ("step", '{"t":"a\u2028b"}', "1")
        more.set()
        assert [batch async for batch in stream.batches] == []
    [request] = peer.requests
    assert (request.method, request.target) == ("POST", "/run/fal-ai/flux/dev/stream")
    assert request.body == b'{"prompt":"x"}'
    assert request.header("accept") == "text/event-stream"
    assert request.header("authorization") == f"Key {KEY}"
    assert request.header("x-fal-runner-hint") == "h"


async def test_a_stream_tells_its_request_id_and_type(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(events(content_type="text/event-stream; charset=utf-8", x_fal_request_id=REQUEST_ID))
    async with fal.stream(endpoint, b"{}", {}) as stream:
        assert stream.request_id == REQUEST_ID
        assert stream.content_type == "text/event-stream; charset=utf-8"
        assert [batch async for batch in stream.batches] == []


async def test_the_route_of_the_id_is_used_when_it_is_a_stream_already(
    peer: Peer, fal: FalClient
) -> None:
    peer.will(events(b"data: 1\n\n"))
    await gather(fal, EndpointId.parse("fal-ai/any-llm/stream"))
    assert peer.requests[0].target == "/run/fal-ai/any-llm/stream"


@pytest.mark.parametrize(
    ("code", "body"),
    [(404, {"detail": "Path /stream not found"}), (422, {"detail": [{"msg": "no"}]})],
)
async def test_a_refused_stream_says_so_before_the_first_event(
    peer: Peer, fal: FalClient, endpoint: EndpointId, code: int, body: object
) -> None:
    peer.will(says(code, body))
    with pytest.raises(Refused) as caught:
        await gather(fal, endpoint)
    assert caught.value.status_code == code


@pytest.mark.parametrize(
    "step",
    [
        reset,
        html(502),
        events(b"data: 1\n\n", b"data: 2", end=False),
        reply(200, b"\x89PNG", "image/png"),
    ],
    ids=["reset", "page", "cut", "image"],
)
async def test_a_stream_that_is_cut_or_no_stream_is_unknown_and_not_repeated(
    peer: Peer, fal: FalClient, endpoint: EndpointId, step: object
) -> None:
    peer.will(step, events(b"data: 9\n\n"))  # type: ignore[arg-type]
    with pytest.raises(Unanswered) as caught:
        await gather(fal, endpoint)
    assert not caught.value.retryable
    assert len(peer.requests) == 1


async def test_what_came_before_the_cut_is_delivered(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(events(b"data: 1\n\n", b"data: 2\n", end=False))
    seen = []
    with pytest.raises(Unanswered):
        async with fal.stream(endpoint, b"{}", {}) as stream:
            async for batch in stream.batches:
                seen += [event.data for event in batch]
    assert seen == ["1"]
    assert [(event.data, event.is_cut) for event in stream.half()] == [("2", True)]
    assert stream.half() == []


@pytest.mark.slow
async def test_a_silent_stream_is_given_up_after_the_idle_time(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(events(b"data: 1\n\n", wait=asyncio.Event()))
    with pytest.raises(Unanswered, match="time ran out"):
        await gather(fal, endpoint)


async def test_a_json_reply_in_place_of_a_stream_is_one_event(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(reply(200, b'{"output": "x"}', "application/json; charset=utf-8"))
    [event] = await gather(fal, endpoint)
    assert (event.data, event.raw_size) == ('{"output": "x"}', 15)


async def test_an_event_over_the_limit_ends_the_stream(peer: Peer, endpoint: EndpointId) -> None:
    peer.will(events(b"data: 1\n\n", b"data: " + b"x" * 200 + b"\n\n"))
    async with FalClient(
        hosts_at(peer.url), KEY, timeouts=QUICK, limits=ReplyLimits(event=100)
    ) as fal:
        with pytest.raises(TooLarge):
            await gather(fal, endpoint)


async def test_leaving_a_stream_hangs_up(peer: Peer, fal: FalClient, endpoint: EndpointId) -> None:
    peer.will(events(*[b"data: 1\n\n"] * 400))
    async with fal.stream(endpoint, b"{}", {}) as stream:
        await anext(stream.batches)
    async with asyncio.timeout(30):
        while not peer.hang_ups:
            await asyncio.sleep(0.01)
    assert peer.hang_ups == 1


async def test_an_error_of_the_readers_own_comes_out_unchanged(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(events(b"data: 1\n\n"))
    with pytest.raises(OSError, match="disk full"):
        async with fal.stream(endpoint, b"{}", {}) as stream:
            async for _ in stream.batches:
                raise OSError("disk full")


async def follow(fal: FalClient, urls: RequestUrls) -> list[StatusReport]:
    return [report async for report in fal.follow_status(urls)]


async def test_status_is_followed_to_the_end_and_no_further(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(
        events(
            b'data: {"status":"IN_QUEUE","queue_position":1}\n\n: ping\n\n',
            b'data: {"status":"IN_PROGRESS","logs":[{"message":"x"}]}\n\n',
            b'data: {"status":"COMPLETED","metrics":{"inference_time":1.5}}\n\n',
            b'data: {"status":"IN_QUEUE"}\n\n',
        )
    )
    reports = await follow(fal, urls)
    assert [report.status for report in reports] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert reports[1].logs[0].message == "x"
    [request] = peer.requests
    assert request.target == f"/queue/fal-ai/flux/requests/{REQUEST_ID}/status/stream?logs=1"
    assert request.header("accept") == "text/event-stream"


async def test_the_query_of_a_returned_status_url_is_kept(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(events(b'data: {"status":"COMPLETED"}\n\n', status=202))
    urls = RequestUrls(urls.status + "?v=2", urls.result, urls.cancel)
    assert len(await follow(fal, urls)) == 1
    assert peer.requests[0].target.endswith("/status/stream?v=2&logs=1")


async def test_a_status_stream_that_ends_early_just_ends(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(events(b'data: {"status":"IN_QUEUE"}\n\n'))
    assert [report.status for report in await follow(fal, urls)] == ["IN_QUEUE"]


async def test_half_a_report_at_the_end_is_passed_over(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(events(b'data: {"status":"IN_QUEUE"}\n\ndata: {"status":"COMP'))
    assert [report.status for report in await follow(fal, urls)] == ["IN_QUEUE"]


@pytest.mark.parametrize(
    "step",
    [reset, html(503), events(b"data: {nonsense\n\n"), events(b"data: {}\n\n"), events(end=False)],
    ids=["reset", "page", "no json", "no status", "cut"],
)
async def test_a_broken_status_stream_may_be_followed_again(
    peer: Peer, fal: FalClient, urls: RequestUrls, step: object
) -> None:
    peer.will(step, step)  # type: ignore[arg-type]
    with pytest.raises(Unanswered) as caught:
        await follow(fal, urls)
    assert caught.value.retryable


async def test_an_unknown_request_cannot_be_followed(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(says(404, {"status": "NOT_FOUND"}))
    with pytest.raises(Refused) as caught:
        await follow(fal, urls)
    assert caught.value.is_gone


async def test_a_follower_may_leave_early(peer: Peer, fal: FalClient, urls: RequestUrls) -> None:
    peer.will(events(*[b'data: {"status":"IN_PROGRESS"}\n\n'] * 400))
    async with aclosing(fal.follow_status(urls)) as reports:
        assert (await anext(reports)).status == "IN_PROGRESS"
    async with asyncio.timeout(30):
        while not peer.hang_ups:
            await asyncio.sleep(0.01)
    assert peer.hang_ups == 1
