"""The client: each verb's one call on the wire, and where the key must not show."""

from __future__ import annotations

import gzip
import logging
import traceback

import pytest

from requests_app.fal import (
    EndpointId,
    FalClient,
    FalError,
    Hosts,
    NotSent,
    Refused,
    ReplyLimits,
    RequestUrls,
    TooLarge,
    Unanswered,
    urls_for,
)

from .conftest import KEY, QUICK, REQUEST_ID, hosts_at
from .peer import Peer, html, raw, reply, reset, says, then_close

BODY = b'{"prompt": "a  cat", "n": 1.0e2}'


async def test_submit_sends_the_bare_input_to_the_full_id(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(says(200, {"request_id": REQUEST_ID, "queue_position": 2}))
    receipt = await fal.submit(endpoint, BODY, {"X-Fal-Queue-Priority": "low"})
    [request] = peer.requests
    assert (request.method, request.target) == ("POST", "/queue/fal-ai/flux/dev")
    assert request.body == BODY
    assert request.header("content-type") == "application/json"
    assert request.header("authorization") == f"Key {KEY}"
    assert request.header("accept-encoding") == "identity"
    assert request.header("x-fal-queue-priority") == "low"
    assert (receipt.request_id, receipt.queue_position) == (REQUEST_ID, 2)


async def test_the_webhook_address_survives_with_its_own_query(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(says(200, {"request_id": REQUEST_ID}))
    hook = "https://desk.example/hooks/fal/1/s%2Fx?a=1&b=2+3&c=%26#not"
    await fal.submit(endpoint, BODY, {}, query={"fal_max_queue_length": "5"}, webhook_url=hook)
    assert peer.requests[0].query == {"fal_webhook": hook, "fal_max_queue_length": "5"}
    assert peer.requests[0].path == "/queue/fal-ai/flux/dev"


async def test_a_submit_takes_returned_urls_and_calls_them_verbatim(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    base = f"{peer.url}/queue/fal-ai/flux/dev/requests/{REQUEST_ID}"
    reply_body = {
        "request_id": REQUEST_ID,
        "status_url": base + "/status?v=2",
        "response_url": base + "/response",
        "cancel_url": base + "/cancel",
    }
    peer.will(
        says(200, reply_body), says(202, {"status": "IN_QUEUE"}), says(200, {}), says(202, {})
    )
    urls = (await fal.submit(endpoint, BODY, {})).urls
    await fal.status(urls)
    await fal.result(urls)
    await fal.cancel(urls)
    path = f"/queue/fal-ai/flux/dev/requests/{REQUEST_ID}"
    assert [(r.method, r.target) for r in peer.requests[1:]] == [
        ("GET", f"{path}/status?v=2&logs=1"),
        ("GET", f"{path}/response"),
        ("PUT", f"{path}/cancel"),
    ]


@pytest.mark.parametrize(("logs", "sent"), [(True, "1"), (False, "0")])
async def test_status_asks_for_logs_as_told(
    peer: Peer, fal: FalClient, urls: RequestUrls, logs: bool, sent: str
) -> None:
    peer.will(says(200, {"status": "COMPLETED", "logs": [{"message": "done"}]}))
    report = await fal.status(urls, logs=logs)
    assert peer.requests[0].query == {"logs": sent}
    assert peer.requests[0].header("authorization") == f"Key {KEY}"
    assert report.is_completed
    assert report.logs[0].message == "done"


async def test_a_completed_request_may_have_an_error_for_its_result(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(
        says(422, {"detail": [{"loc": ["body"], "msg": "no", "type": "x"}]}, x_fal_request_id="r")
    )
    result = await fal.result(urls)
    assert (result.status_code, result.ok, result.request_id) == (422, False, "r")


async def test_a_result_is_kept_byte_for_byte(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    body = b'{ "seed": 1.0e5,\n "text": "\\ud800" , "big": 123456789012345678901234567890 }'
    peer.will(reply(200, body))
    assert (await fal.result(urls)).body == body


async def test_a_large_input_arrives_whole_and_with_its_length(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    body = b'{"image_url": "data:image/png;base64,' + bytes(range(65, 91)) * 100_000 + b'"}'
    peer.will(says(200, {"request_id": REQUEST_ID}))
    await fal.submit(endpoint, body, {})
    [request] = peer.requests
    assert request.body == body
    assert request.header("content-length") == str(len(body))
    assert request.header("transfer-encoding") is None


async def test_cancel_is_a_put_without_a_body(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    peer.will(says(400, {"status": "ALREADY_COMPLETED"}))
    answer = await fal.cancel(urls)
    [request] = peer.requests
    assert (request.method, request.body) == ("PUT", b"")
    assert answer.kind == "already_completed"


async def test_run_posts_to_the_run_host_and_returns_the_output(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(reply(200, b"\x89PNG", "image/png", x_fal_request_id="r"))
    result = await fal.run(endpoint, BODY, {}, timeout_s=30)
    assert (peer.requests[0].target, peer.requests[0].body) == ("/run/fal-ai/flux/dev", BODY)
    assert (result.ok, result.body, result.content_type) == (True, b"\x89PNG", "image/png")


async def test_run_is_not_repeated_when_the_gateway_fails(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(html(502), says(200, {}))
    with pytest.raises(Unanswered) as caught:
        await fal.run(endpoint, BODY, {}, timeout_s=30)
    assert not caught.value.retryable
    assert len(peer.requests) == 1


async def test_a_rate_limit_tells_how_long_to_wait(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(
        says(429, {"detail": "busy", "error_type": "concurrent_requests_limit"}, retry_after="3")
    )
    with pytest.raises(Refused) as caught:
        await fal.submit(endpoint, BODY, {})
    assert caught.value.is_rate_limit
    assert (caught.value.retry_after_s, caught.value.error_type) == (
        3.0,
        "concurrent_requests_limit",
    )
    assert len(peer.requests) == 1


# --- the key


async def test_the_key_shows_in_no_repr(fal: FalClient) -> None:
    assert "secret" not in repr(fal)
    assert "secret" not in repr(fal.wire)


@pytest.mark.parametrize("step", [reset, html(502)], ids=["reset", "page"])
async def test_the_key_shows_in_no_error_and_no_log(
    peer: Peer, fal: FalClient, urls: RequestUrls, step: object, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.will(step, step)  # type: ignore[arg-type]
    with pytest.raises(FalError) as caught:
        await fal.result(urls)
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "secret" not in told


@pytest.mark.parametrize("key", ["a:b\r\nX: y", "a b", "schlüssel", "a\0b"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="key") as caught:
        FalClient(Hosts.fal(), key)
    assert key not in str(caught.value)


async def test_leaving_the_context_closes_the_connections(peer: Peer, urls: RequestUrls) -> None:
    async with FalClient(hosts_at(peer.url), KEY, timeouts=QUICK) as fal:
        pass
    with pytest.raises(NotSent):
        await fal.status(urls)


async def test_a_packed_status_is_unpacked(peer: Peer, fal: FalClient, urls: RequestUrls) -> None:
    packed = gzip.compress(b'{"status": "IN_PROGRESS"}')
    peer.will(reply(200, packed, content_encoding="gzip"))
    assert (await fal.status(urls)).status == "IN_PROGRESS"


async def test_a_refused_status_tells_how_long_to_wait_whatever_stands_in_other_headers(
    peer: Peer, fal: FalClient, urls: RequestUrls
) -> None:
    head = (
        b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nX-Note: caf\xc3\xa9\r\nX-Note: again\r\n"
        b"content-length: 2\r\n\r\n{}"
    )
    peer.will(raw(head))
    with pytest.raises(Refused) as caught:
        await fal.status(urls)
    assert caught.value.retry_after_s == 7


async def test_a_status_over_the_limit_is_not_read(peer: Peer, hosts: Hosts) -> None:
    urls = urls_for(hosts, EndpointId.parse("fal-ai/flux/dev"), REQUEST_ID)
    body = b'{"status": "IN_QUEUE", "logs": "' + b"x" * 5000 + b'"}'
    async with FalClient(hosts, KEY, timeouts=QUICK, limits=ReplyLimits(status=1000)) as fal:
        for step in (reply(200, body), then_close(raw(b"HTTP/1.1 200 OK\r\n\r\n" + body))):
            peer.will(step)
            with pytest.raises(TooLarge):
                await fal.status(urls)
