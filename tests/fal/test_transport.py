from __future__ import annotations

import asyncio
import gzip
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from requests_app.fal import (
    BadReply,
    EndpointId,
    FalClient,
    InvalidHeader,
    NotSent,
    ReplyLimits,
    RequestUrls,
    TooLarge,
    Unanswered,
    urls_for,
)

from .conftest import KEY, QUICK, REQUEST_ID, hosts_at
from .peer import Peer, Step, drip, hang, html, raw, reply, reset, says, then_close, truncated
from .tls import untrusted

RECEIPT = {"request_id": REQUEST_ID}

LOST: dict[str, Step] = {
    "reset after the request": reset,
    "no answer": hang,
    "an answer byte by byte": drip(b'{"request_id": "abc"}' + b" " * 100, 0.02),
    "half an answer": truncated(200, b'{"request_id": "abc"}'),
    "half a header": then_close(raw(b"HTTP/1.1 200 OK\r\ncontent-le")),
    "no HTTP": then_close(raw(b"\x00\x01\x02 hello\r\n\r\n")),
    "a broken chunk": then_close(
        raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}")
    ),
    "a gateway page": html(502),
    "a redirect": reply(307, b"", location="/elsewhere"),
    "a lie about gzip": reply(200, b'{"request_id": "abc"}', content_encoding="gzip"),
    "an unknown packing": reply(200, b'{"request_id": "abc"}', content_encoding="br"),
    "packed twice": reply(200, b'{"request_id": "abc"}', content_encoding="gzip, gzip"),
}


@pytest.mark.parametrize("step", LOST.values(), ids=LOST)
async def test_a_submit_whose_answer_is_lost_is_unknown_and_was_sent_once(
    peer: Peer, fal: FalClient, endpoint: EndpointId, step: Step
) -> None:
    peer.will(step, says(200, RECEIPT))
    with pytest.raises(Unanswered) as caught:
        await fal.submit(endpoint, b"{}", {})
    assert caught.value.sent and not caught.value.retryable
    await asyncio.sleep(0.02)
    assert len(peer.requests) == 1


@pytest.mark.parametrize("step", LOST.values(), ids=LOST)
async def test_a_read_whose_answer_is_lost_may_be_made_again(
    peer: Peer, fal: FalClient, urls: RequestUrls, step: Step
) -> None:
    peer.will(step, step)  # aiohttp may repeat a read once on a connection it had kept
    with pytest.raises(Unanswered) as caught:
        await fal.status(urls)
    assert caught.value.retryable


@pytest.mark.slow
async def test_a_slow_answer_is_cut_by_the_total_deadline(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(drip(b"{}" + b" " * 500, 0.02))
    with pytest.raises(
        Unanswered, match="time ran out"
    ):  # else the whole of it comes, in ten seconds
        await fal.result(urls)


async def test_a_submit_is_not_waited_for_in_silence_until_the_total_deadline(
    peer: Peer, endpoint: EndpointId
) -> None:
    peer.will(hang)
    timeouts = replace(QUICK, read_s=0.1, submit_s=3600)
    async with FalClient(hosts_at(peer.url), KEY, timeouts=timeouts) as fal:
        with pytest.raises(Unanswered, match="time ran out"):
            await fal.submit(endpoint, b"{}", {})


def with_head(*lines: bytes, status: bytes = b"200 OK", body: bytes = b"{}") -> Step:
    """A reply with header lines as they stand."""
    length = b"content-length: %d" % len(body)
    kind = b"content-type: application/json"
    head = b"\r\n".join([b"HTTP/1.1 " + status, kind, length, *lines])
    return raw(head + b"\r\n\r\n" + body)


READABLE_HEADS: dict[str, Step] = {
    "one of 15 kB": with_head(b"x-fal-runner-hints: " + b"h" * 15_000),
    "a name of 15 kB": with_head(b"x-" + b"n" * 15_000 + b": 1"),
    "3,000 small ones": with_head(*[b"a%d: " % number for number in range(3000)]),
    "a cookie of 15 kB": with_head(b"set-cookie: a=" + b"c" * 15_000),
    "a reason phrase of 15 kB": with_head(status=b"200 " + b"r" * 15_000),
    "a reason phrase in Latin 1": with_head(status=b"200 D\xe9j\xe0 vu"),
    "no reason phrase": with_head(status=b"200"),
    "a value in Latin 1": with_head(b"x-fal-error-type: caf\xe9"),
    "a value of bytes": with_head(b"x-fal-request-id: \xff\xfe\x80"),
    "a folded value": with_head(b"x-a: 1\r\n  2"),
}


@pytest.mark.parametrize("step", READABLE_HEADS.values(), ids=READABLE_HEADS)
async def test_a_reply_is_read_whatever_headers_fal_may_send(
    peer: Peer, fal: FalClient, endpoint: EndpointId, urls: RequestUrls, step: Step
) -> None:
    peer.will(step, step)
    assert (await fal.result(urls)).body == b"{}"
    assert (await fal.run(endpoint, b"{}", {}, timeout_s=30)).body == b"{}"


@pytest.mark.parametrize("step", READABLE_HEADS.values(), ids=READABLE_HEADS)
async def test_every_other_verb_reads_such_headers_too(
    peer: Peer, fal: FalClient, endpoint: EndpointId, urls: RequestUrls, step: Step
) -> None:
    peer.will(step, step, step)
    with pytest.raises(Unanswered, match="status"):
        await fal.status(urls)
    assert (await fal.cancel(urls)).status_code == 200
    async with fal.stream(endpoint, b"{}", {}) as stream:
        assert [event.data async for events in stream.batches for event in events] == ["{}"]
    with pytest.raises(Unanswered, match="request id"):
        await _submit(peer.will(step), fal, endpoint)


async def _submit(peer: Peer, fal: FalClient, endpoint: EndpointId) -> None:
    await fal.submit(endpoint, b"{}", {})


UNREADABLE_HEADS: dict[str, tuple[Step, str]] = {
    "one of 100 kB": (with_head(b"x-a: " + b"a" * 100_000), "64 kB"),
    "one of 2 MB": (with_head(b"x-a: " + b"a" * 2_000_000), "64 kB"),
    "5,000 of them": (with_head(*[b"a%d: 1" % number for number in range(5000)]), "4096 headers"),
    "a NUL": (with_head(b"x-a: a\0b"), "readable HTTP"),
    "a line without a colon": (with_head(b"x-a"), "readable HTTP"),
    "two lengths": (with_head(b"content-length: 9"), "readable HTTP"),
    "a code of four digits": (with_head(status=b"1000 OK"), "readable HTTP"),
}


@pytest.mark.parametrize(("step", "words"), UNREADABLE_HEADS.values(), ids=UNREADABLE_HEADS)
async def test_headers_over_every_limit_are_named_and_lose_that_reply_alone(
    peer: Peer, fal: FalClient, endpoint: EndpointId, urls: RequestUrls, step: Step, words: str
) -> None:
    peer.will(then_close(step))
    with pytest.raises(BadReply, match=words) as caught:
        await fal.submit(endpoint, b"{}", {})
    assert caught.value.sent and not caught.value.retryable
    peer.will(then_close(step), says(202, {"status": "IN_QUEUE"}))
    with pytest.raises(BadReply, match=words) as caught:
        await fal.status(urls)
    assert caught.value.retryable
    assert (await fal.status(urls)).status == "IN_QUEUE"


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def _submit_to(url: str, endpoint: EndpointId) -> None:
    async with FalClient(hosts_at(url), KEY, timeouts=QUICK) as fal:
        await fal.submit(endpoint, b"{}", {})


async def test_a_refused_connection_was_not_sent(endpoint: EndpointId) -> None:
    with pytest.raises(NotSent, match="refused") as caught:
        await _submit_to(f"http://127.0.0.1:{_closed_port()}", endpoint)
    assert caught.value.retryable and not caught.value.sent


async def test_an_unknown_host_name_was_not_sent(endpoint: EndpointId) -> None:
    with pytest.raises(NotSent, match="resolved"):
        await _submit_to("http://nowhere.invalid", endpoint)


@pytest.mark.slow
async def test_a_failed_tls_handshake_was_not_sent(peer: Peer, endpoint: EndpointId) -> None:
    with pytest.raises(NotSent):
        await _submit_to(peer.url.replace("http://", "https://"), endpoint)
    assert peer.requests == []


async def test_a_certificate_nobody_trusts_is_not_sent_to(
    tmp_path: Path, endpoint: EndpointId
) -> None:
    peer = Peer()
    await peer.start(tls=untrusted(tmp_path))
    with pytest.raises(NotSent, match="no secure connection"):
        await _submit_to(peer.url, endpoint)
    assert peer.requests == []
    await peer.stop()


@pytest.mark.slow
async def test_a_connection_that_is_never_accepted_was_not_sent(endpoint: EndpointId) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        try:
            with pytest.raises(NotSent, match="time ran out"):
                await _submit_to(f"http://127.0.0.1:{address[1]}", endpoint)
        finally:
            for filler in fillers:
                filler.close()


async def test_a_client_that_was_closed_sends_nothing(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    await fal.aclose()
    with pytest.raises(NotSent):
        await fal.submit(endpoint, b"{}", {})
    assert peer.requests == []


async def test_every_submit_has_a_connection_of_its_own_and_reads_share_one(
    peer: Peer, fal: FalClient, endpoint: EndpointId, urls: RequestUrls
) -> None:
    for _ in range(3):
        peer.will(says(200, RECEIPT))
        await fal.submit(endpoint, b"{}", {})
    assert peer.connections == 3
    for _ in range(3):
        peer.will(says(200, {"status": "IN_QUEUE"}))
        await fal.status(urls)
    assert peer.connections == 4


async def test_a_peer_that_drops_kept_connections_does_not_make_a_submit_uncertain(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    for _ in range(5):
        peer.will(then_close(says(200, RECEIPT)))
        assert (await fal.submit(endpoint, b"{}", {})).request_id == REQUEST_ID


async def test_a_result_over_the_limit_is_cut_off(peer: Peer, endpoint: EndpointId) -> None:
    hosts = hosts_at(peer.url)
    async with FalClient(
        hosts, KEY, timeouts=QUICK, limits=ReplyLimits(result=1000, status=100)
    ) as fal:
        urls = urls_for(hosts, endpoint, REQUEST_ID)
        peer.will(reply(200, b"7" * 1000), reply(200, b"7" * 1001))
        assert len((await fal.result(urls)).body) == 1000
        with pytest.raises(TooLarge) as caught:
            await fal.result(urls)
        assert not caught.value.retryable
        peer.will(says(200, {"status": "IN_QUEUE", "x": "y" * 100}))
        with pytest.raises(TooLarge):
            await fal.status(urls)


async def test_a_packed_reply_is_counted_after_unpacking(peer: Peer, endpoint: EndpointId) -> None:
    hosts = hosts_at(peer.url)
    async with FalClient(hosts, KEY, timeouts=QUICK, limits=ReplyLimits(result=100_000)) as fal:
        urls = urls_for(hosts, endpoint, REQUEST_ID)
        peer.will(reply(200, gzip.compress(b"{}"), content_encoding="gzip"))
        assert (await fal.result(urls)).body == b"{}"
        peer.will(reply(200, gzip.compress(b"0" * 10_000_000), content_encoding="gzip"))
        with pytest.raises(TooLarge):
            await fal.result(urls)


async def test_redirects_are_not_followed_and_cookies_not_kept(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(
        reply(302, b"{}", location=f"{peer.url}/evil", set_cookie="a=b; Path=/"),
        reply(200, b"{}", set_cookie="c=d; Path=/"),
        reply(200, b"{}"),
    )
    with pytest.raises(Unanswered, match="redirect"):
        await fal.result(urls)
    await fal.result(urls)
    await fal.result(urls)
    assert len(peer.requests) == 3
    assert {request.header("cookie") for request in peer.requests} == {None}
    assert "/evil" not in {request.path for request in peer.requests}


async def test_headers_that_would_override_ours_stop_the_call(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    for headers in ({"Authorization": "Key other"}, {"Host": "evil"}, {"X-A": "1\r\nX-B: 2"}):
        with pytest.raises(InvalidHeader):
            await fal.submit(endpoint, b"{}", headers)
    assert peer.requests == []


async def test_an_empty_key_sends_no_authorization(peer: Peer, endpoint: EndpointId) -> None:
    peer.will(says(200, RECEIPT))
    async with FalClient(hosts_at(peer.url), "", timeouts=QUICK) as fal:
        await fal.submit(endpoint, b"{}", {})
    assert peer.requests[0].header("authorization") is None


async def test_a_plain_httpx_client_is_classified_alike(peer: Peer, endpoint: EndpointId) -> None:
    async with httpx.AsyncClient() as client:
        fal = FalClient(hosts_at(peer.url), KEY, client=client, timeouts=QUICK)
        peer.will(reset)
        with pytest.raises(Unanswered):
            await fal.submit(endpoint, b"{}", {})
        away = FalClient(
            hosts_at(f"http://127.0.0.1:{_closed_port()}"), KEY, client=client, timeouts=QUICK
        )
        with pytest.raises(NotSent):
            await away.submit(endpoint, b"{}", {})
        await fal.aclose()
        assert not client.is_closed


async def test_a_cancelled_submit_hangs_up_and_stays_cancelled(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(hang)
    task = asyncio.create_task(fal.submit(endpoint, b"{}", {}))
    while not peer.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.slow
async def test_a_peer_that_does_not_read_a_large_body_cannot_hold_us(endpoint: EndpointId) -> None:
    released = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.transport.abort()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(Unanswered):
        async with FalClient(hosts_at(url), KEY, timeouts=QUICK) as fal:
            await fal.submit(endpoint, b"x" * 20_000_000, {})
    released.set()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)


async def test_a_status_that_is_cut_off_is_an_outage_and_no_bad_reply(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    cut = then_close(truncated(200, b'{"status": "IN_QUEUE"}'))
    peer.will(cut, cut)
    with pytest.raises(Unanswered, match="broke off") as caught:
        await fal.status(urls)
    assert not isinstance(caught.value, BadReply)
