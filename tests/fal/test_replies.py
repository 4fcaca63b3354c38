from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from requests_app.fal.endpoints import EndpointId, Hosts, urls_for
from requests_app.fal.errors import FalError, Refused, Unanswered
from requests_app.fal.replies import (
    Reply,
    read_cancel,
    read_receipt,
    read_status,
    read_stream_refusal,
    retry_after_s,
)
from requests_app.fal.result_replies import read_queue_result, read_run_result

HOSTS = Hosts.fal()
FLUX = EndpointId.parse("fal-ai/flux/dev")
RID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
PAGE = b"<html><title>502 Bad Gateway</title></html>"
FROM_FAL = {"x-fal-request-id": RID}


def reply(status: int, value: Any = None, headers: dict[str, str] | None = None) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, headers or {}, body)


def test_a_receipt_needs_the_request_id_alone() -> None:
    receipt = read_receipt(reply(200, {"request_id": RID}), HOSTS, FLUX)
    assert receipt.urls == urls_for(HOSTS, FLUX, RID)
    assert (receipt.gateway_request_id, receipt.queue_position) == (None, None)


def test_a_url_on_another_host_is_rebuilt() -> None:
    own = f"{HOSTS.queue}/fal-ai/flux/dev/requests/{RID}/status"
    members = {
        "request_id": RID,
        "gateway_request_id": "g",
        "queue_position": 4,
        "status_url": own,
        "response_url": "http://127.0.0.1:6379/",
    }
    receipt = read_receipt(reply(200, members), HOSTS, FLUX)
    assert receipt.urls.status == own
    assert receipt.urls.result == urls_for(HOSTS, FLUX, RID).result
    assert (receipt.gateway_request_id, receipt.queue_position) == ("g", 4)


class Counted(bytes):
    """A body that counts how often it is read as text."""

    reads = 0

    def decode(self, *args: Any) -> str:
        self.reads += 1
        return super().decode(*args)


@pytest.mark.parametrize(
    ("status", "told"), [(422, '{"detail": "No."}'), (404, '{"detail": "No."}'), (503, '"No."')]
)
def test_the_body_of_an_error_is_parsed_once(status: int, told: str) -> None:
    body = Counted(told.encode())
    for read in (read_run_result, read_queue_result):
        body.reads = 0
        with suppress(FalError):
            assert read(Reply(status, {}, body)).error
        assert body.reads == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 429])
def test_a_submit_is_refused_by_a_4xx_in_json(status: int) -> None:
    with pytest.raises(Refused) as caught:
        read_receipt(reply(status, {"detail": "User is locked."}), HOSTS, FLUX)
    assert caught.value.status_code == status
    assert caught.value.detail == "User is locked."
    assert "User is locked." in str(caught.value)


NO_OBJECT = {
    "HTML": PAGE,
    "text": b"Unauthorized",
    "a JSON string": b'"Too large"',
    "a JSON list": b'["no"]',
    "cut off": b'{"detail": "no',
    "nothing": b"",
}


@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT)
@pytest.mark.parametrize(
    "status", [401, 402, 405, 407, 411, 413, 414, 415, 417, 421, 422, 426, 428, 429, 431]
)
def test_a_code_that_is_said_before_anything_runs_refuses_a_submit_with_any_body(
    status: int, body: bytes
) -> None:
    with pytest.raises(Refused) as caught:
        read_receipt(reply(status, body, {"content-type": "text/html"}), HOSTS, FLUX)
    assert (caught.value.status_code, caught.value.content_type) == (status, "text/html")
    assert caught.value.is_rate_limit is (status == 429)


@pytest.mark.parametrize("headers", [FROM_FAL, {"x-fal-error-type": "bad_request"}])
@pytest.mark.parametrize("status", [400, 403, 404, 406, 410, 418, 451])
def test_another_4xx_refuses_a_submit_with_any_body_when_it_bears_a_header_of_fals(
    status: int, headers: dict[str, str]
) -> None:
    with pytest.raises(Refused):
        read_receipt(reply(status, b"plain words", headers), HOSTS, FLUX)


def test_a_refusal_in_any_shape_tells_its_reason() -> None:
    with pytest.raises(Refused, match="Request Entity Too Large"):
        read_receipt(reply(413, b"<title>413 Request Entity Too Large</title>"), HOSTS, FLUX)


UNKNOWN = [
    *(reply(status, PAGE) for status in (400, 403, 404, 406, 410, 418, 451, 460)),
    *(
        reply(status, body, headers)
        for status in (408, 409, 425, 499)
        for body, headers in (
            (PAGE, {}),
            ({"detail": "x"}, {}),
            (b"x", FROM_FAL),
            ({"detail": "x"}, FROM_FAL),
        )
    ),
    reply(500, {"detail": "x", "error_type": "internal_error"}),
    reply(503, {"detail": "x"}, FROM_FAL),
    reply(504, {"detail": "x"}),
    reply(502, PAGE),
    reply(502, PAGE, FROM_FAL),
    reply(100, b""),
    reply(302, b""),
    reply(307, {"request_id": RID}),
    reply(200, b""),
    reply(200, PAGE),
    reply(200, b'{"request_id": "abc'),
    reply(200, b"\x89PNG"),
    reply(200, [RID]),
    reply(200, {}),
    reply(200, {"request_id": 7}),
    reply(200, {"request_id": ""}),
    reply(200, {"request_id": "a/../b"}),
    reply(200, {"request_id": "x" * 10_000}),
    reply(200, "\ufeff".encode("utf-16") + b"{}"),
]


@pytest.mark.parametrize("answer", UNKNOWN, ids=range(len(UNKNOWN)))
def test_anything_between_yes_and_no_leaves_a_submit_unknown_and_never_repeatable(
    answer: Reply,
) -> None:
    with pytest.raises(Unanswered) as caught:
        read_receipt(answer, HOSTS, FLUX)
    assert caught.value.sent and not caught.value.retryable


@pytest.mark.parametrize("code", [200, 202])
def test_status_comes_with_200_and_with_202(code: int) -> None:
    assert read_status(reply(code, {"status": "IN_QUEUE"})).status == "IN_QUEUE"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(404, {"status": "NOT_FOUND"}), Refused),
        (reply(429, {"detail": "slow"}), Refused),
        (reply(500, {"detail": "x"}), Unanswered),
        (reply(502, PAGE), Unanswered),
        (reply(404, PAGE), Unanswered),
        (reply(200, PAGE), Unanswered),
        (reply(200, {"detail": "x"}), Unanswered),
    ],
    ids=range(7),
)
def test_a_status_that_cannot_be_read_may_be_asked_again(
    answer: Reply, error: type[FalError]
) -> None:
    with pytest.raises(error) as caught:
        read_status(answer)
    assert caught.value.retryable is (error is Unanswered or answer.status_code == 429)


FIELDS = {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]}


def test_a_cancel_is_answered_by_400_and_404_too() -> None:
    assert read_cancel(reply(202, {"status": "CANCELLATION_REQUESTED"})).kind == "requested"
    assert read_cancel(reply(400, {"status": "ALREADY_COMPLETED"})).kind == "already_completed"
    assert read_cancel(reply(404, {"status": "NOT_FOUND"})).kind == "not_found"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(401, {"detail": "x"}), Refused),
        (reply(429, {"detail": "x"}), Refused),
        (reply(404, PAGE), Unanswered),
        (reply(500, {"detail": "x"}), Unanswered),
    ],
    ids=range(4),
)
def test_a_cancel_that_fal_did_not_answer_is_an_error(answer: Reply, error: type[FalError]) -> None:
    with pytest.raises(error):
        read_cancel(answer)


def test_a_stream_refused_by_the_model_or_by_fal_says_so_and_a_gateway_page_does_not() -> None:
    assert isinstance(read_stream_refusal(reply(422, FIELDS), retryable=False), Refused)
    assert isinstance(read_stream_refusal(reply(500, {"detail": "x"}), retryable=False), Refused)
    assert isinstance(read_stream_refusal(reply(502, PAGE), retryable=False), Unanswered)


def test_a_refusal_keeps_the_list_of_field_errors() -> None:
    with pytest.raises(Refused) as caught:
        read_receipt(reply(422, FIELDS, {"x-fal-error-type": "bad_request"}), HOSTS, FLUX)
    assert caught.value.detail == FIELDS["detail"]
    assert caught.value.error_type == "bad_request"
    assert "Field required" in str(caught.value)


DATE = "Mon, 23 Nov 2026 15:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "Sat, 28 Nov 99999999999999999999 10:00:00 GMT"}, None),
        ({"retry-after": "-5"}, 1),
        ({"retry-after": "1000000000"}, 300),
        ({"retry-after": "inf"}, 300),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Mon, 23 Nov 2026 15:00:30 GMT", "date": DATE}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 14:00:00 GMT", "date": DATE}, 1),
        ({"retry-after": "Tue, 24 Nov 2026 15:00:00 GMT", "date": DATE}, 300),
        ({"retry-after": "Mon, 23 Nov 2026 15:00:30 GMT"}, None),
        ({"retry-after": "Mon, 99 Nov 2026 15:00:30 GMT", "date": DATE}, None),
    ],
)
def test_retry_after_may_be_seconds_a_date_or_junk(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers) == seconds
