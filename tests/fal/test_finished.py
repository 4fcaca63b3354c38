"""The list of finished requests: what is asked, and what is made of any answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from requests_app.fal import (
    EndpointId,
    FalClient,
    FalError,
    Hosts,
    Listed,
    Refused,
    ReplyLimits,
    TooLarge,
    Unanswered,
    Window,
)
from requests_app.fal.finished import MOST_PAGES, PATH

from .conftest import KEY, QUICK
from .peer import Peer, hang, html, reply, reset, says

START = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
END = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
def window(endpoint: EndpointId) -> Window:
    return Window(endpoint, START, END)


async def listed(fal: FalClient, window: Window) -> list[Listed]:
    return [entry async for entry in fal.finished(window)]


def page(*items: Any, **more: Any) -> Any:
    return says(200, {"items": list(items), "next_cursor": None, "has_more": False, **more})


async def test_it_asks_for_the_endpoints_requests_of_the_window_with_their_inputs(
    peer: Peer, fal: FalClient, window: Window
) -> None:
    peer.will(
        page(
            {
                "request_id": "r-1", "endpoint_id": "fal-ai/flux/dev", "status_code": 200,
                "sent_at": "2026-01-02T03:04:06Z", "ended_at": "2026-01-02T03:04:09Z",
                "duration": 2.5, "json_input": {"prompt": "a cat"}, "json_output": {"x": 1},
            }
        )
    )  # fmt: skip
    [entry] = await listed(fal, window)
    sent_at = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert entry == Listed("r-1", "fal-ai/flux/dev", {"prompt": "a cat"}, sent_at)
    [request] = peer.requests
    assert (request.method, request.path) == ("GET", f"/api{PATH}")
    assert request.header("authorization") == f"Key {KEY}"
    assert request.query == {
        "endpoint_id": "fal-ai/flux/dev",
        "start": "2026-01-02T03:04:05.678Z",
        "end": "2026-01-02T04:00:00.000Z",
        "expand": "payloads",
        "sort_by": "ended_at",
        "limit": "100",
    }


async def test_pages_are_followed_by_their_cursor(
    peer: Peer, fal: FalClient, window: Window
) -> None:
    peer.will(
        page({"request_id": "r-1"}, next_cursor="c&1", has_more=True),
        page({"request_id": "r-2"}, next_cursor="c2", has_more=False),
    )
    assert [entry.request_id for entry in await listed(fal, window)] == ["r-1", "r-2"]
    assert [request.query.get("cursor") for request in peer.requests] == [None, "c&1"]


async def test_a_list_without_end_is_left_and_said_to_be_unread(
    peer: Peer, fal: FalClient, window: Window
) -> None:
    peer.will(*[page({"request_id": "r-1"}, next_cursor="c", has_more=True)] * (MOST_PAGES + 5))
    with pytest.raises(Unanswered, match="too long"):
        await listed(fal, window)
    assert len(peer.requests) == MOST_PAGES


async def test_payloads_too_large_for_one_reply_are_had_in_smaller_pages(
    peer: Peer, hosts: Hosts, window: Window
) -> None:
    large = page({"request_id": "r-1", "json_output": "x" * 2000})
    peer.will(large, page({"request_id": "r-1"}), large, large)
    async with FalClient(hosts, KEY, timeouts=QUICK, limits=ReplyLimits(listing=1000)) as fal:
        assert len(await listed(fal, window)) == 1
        with pytest.raises(TooLarge):
            await listed(fal, window)
    assert [request.query["limit"] for request in peer.requests] == ["100", "10"] * 2


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({}, None),
        ({"json_input": {"a": 1.0}}, {"a": 1.0}),
        ({"json_input": '{"a": "\\ud83d\\ude00"}'}, {"a": "😀"}),
        ({"json_input": "{"}, None),
        ({"json_input": [1]}, None),
    ],
)
async def test_an_input_is_an_object_its_text_or_not_told(
    peer: Peer, fal: FalClient, window: Window, told: Any, read: Any
) -> None:
    peer.will(page({"request_id": "r-1", **told}))
    [entry] = await listed(fal, window)
    assert (entry.input, entry.sent_at, entry.endpoint_id) == (read, None, "")


@pytest.mark.parametrize(
    ("told", "hour"),
    [
        ("2026-01-02T03:00:00.123456", 3),
        ("2026-01-02T03:00:00+02:00", 1),
        ("yesterday", None),
        (17, None),
    ],
)
async def test_a_time_without_a_zone_is_utc_and_an_odd_one_is_not_told(
    peer: Peer, fal: FalClient, window: Window, told: Any, hour: int | None
) -> None:
    peer.will(page({"request_id": "r-1", "sent_at": told}))
    [entry] = await listed(fal, window)
    assert (entry.sent_at and entry.sent_at.astimezone(UTC).hour) == hour


async def test_entries_that_name_no_request_are_passed_over(
    peer: Peer, fal: FalClient, window: Window
) -> None:
    odd = [None, 7, "r", {}, {"request_id": 7}, {"request_id": "../x"}, {"request_id": "r-1"}]
    peer.will(page(*odd))
    assert [entry.request_id for entry in await listed(fal, window)] == ["r-1"]


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_a_no_of_fals_is_a_refusal_in_its_own_words(
    peer: Peer, fal: FalClient, window: Window, status: int
) -> None:
    error = {"error": {"type": "authorization_error", "message": "This key may not."}}
    peer.will(says(status, error, retry_after="7"))
    with pytest.raises(Refused, match="This key may not") as caught:
        await listed(fal, window)
    assert (caught.value.status_code, caught.value.retry_after_s) == (status, 7)


NO_LIST = [
    hang,
    reset,
    html(200),
    html(404),
    html(502),
    says(500, {"error": {"type": "server_error"}}),
    says(302, {}, location="https://elsewhere.example"),
    says(200, []),
    says(200, {"items": None}),
    says(200, {"requests": []}),
    reply(200, json.dumps({"items": [{"request_id": "r-1"}]}).encode()[:-2]),
]


@pytest.mark.parametrize("answer", NO_LIST)
async def test_whatever_is_no_list_may_be_asked_for_again(
    peer: Peer, fal: FalClient, window: Window, answer: Any
) -> None:
    peer.will(answer)
    with pytest.raises(FalError) as caught:
        await listed(fal, window)
    assert caught.value.retryable
