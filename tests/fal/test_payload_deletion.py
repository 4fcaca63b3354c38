"""Deletion at fal: what is sent, and what is made of any answer."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.fal import FalClient, FalError, Refused, Unanswered
from requests_app.fal.payload_deletion import DeletedPayloads, takes

from .conftest import KEY, REQUEST_ID
from .peer import Peer, html, reply, reset, says

LINK = "https://v3.fal.media/files/a.png"


async def test_the_call_names_the_request_and_may_be_repeated(peer: Peer, fal: FalClient) -> None:
    peer.will(
        says(
            200,
            {
                "cdn_delete_results": [
                    {"link": LINK, "exception": None},
                    {"link": LINK, "exception": "gone"},
                ]
            },
        )
    )
    assert await fal.delete_payloads(REQUEST_ID, once="once-1") == DeletedPayloads(2, 1)
    [request] = peer.requests
    assert (request.method, request.path) == (
        "DELETE",
        f"/api/v1/models/requests/{REQUEST_ID}/payloads",
    )
    assert request.header("idempotency-key") == "once-1"
    assert request.header("authorization") == f"Key {KEY}"


@pytest.mark.parametrize(
    "told", [{}, {"cdn_delete_results": None}, {"cdn_delete_results": [1, "x"]}]
)
async def test_a_reply_that_names_no_files_is_done_all_the_same(
    peer: Peer, fal: FalClient, told: Any
) -> None:
    peer.will(says(200, told))
    assert await fal.delete_payloads(REQUEST_ID, once="x") == DeletedPayloads()


PLATFORM = {"error": {"type": "authorization_error", "message": "Missing permission: admin"}}


@pytest.mark.parametrize(
    ("step", "kind", "is_gone"),
    [
        (says(403, PLATFORM), Refused, False),
        (says(401, PLATFORM), Refused, False),
        (says(400, PLATFORM), Refused, False),
        (says(404, PLATFORM), Refused, True),
        (says(429, PLATFORM), Refused, False),
        (says(500, PLATFORM), Unanswered, None),
        (html(404), Unanswered, None),
        (html(502), Unanswered, None),
        (reply(200, b"[1]"), Unanswered, None),
        (reset, Unanswered, None),
    ],
)
async def test_only_fals_own_no_is_one(
    peer: Peer, fal: FalClient, step: Any, kind: type[FalError], is_gone: bool | None
) -> None:
    peer.will(step)
    with pytest.raises(kind) as caught:
        await fal.delete_payloads(REQUEST_ID, once="x")
    if isinstance(caught.value, Refused):
        assert caught.value.is_gone == is_gone
        assert "Missing permission: admin" in str(caught.value)
    else:
        assert caught.value.retryable


def test_only_ids_of_fals_form_are_taken() -> None:
    assert takes(REQUEST_ID)
    assert not any(
        map(takes, ("", "req-1", "../" + REQUEST_ID, f"{{{REQUEST_ID}}}", f"{REQUEST_ID}\n"))
    )
    assert takes(REQUEST_ID.upper())
