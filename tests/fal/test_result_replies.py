"""What is a result, what is fal's own no, and what only came in its place."""

from __future__ import annotations

import json
from tempfile import TemporaryFile
from typing import Any

import pytest

from requests_app.fal.errors import NotFinished, NotTheResult, Refused, Unanswered
from requests_app.fal.replies import Reply
from requests_app.fal.reports import Rest
from requests_app.fal.result_replies import read_queue_result, read_run_result

RID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
PAGE = b"<html><title>502 Bad Gateway</title></html>"
FROM_FAL = {"x-fal-request-id": RID}
FIELDS = {"detail": [{"loc": ["body", "prompt"], "msg": "Field required", "type": "missing"}]}
STATUS = {"status": "IN_PROGRESS", "request_id": RID, "response_url": "https://queue.fal.run/x"}


def reply(
    status: int, value: Any = None, headers: dict[str, str] | None = None, kind: str = ""
) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, {**(headers or {}), **({"content-type": kind} if kind else {})}, body)


def large(beginning: bytes, end: bytes) -> Reply:
    """A body of which only the beginning is in memory."""
    file = TemporaryFile()  # noqa: SIM115
    file.write(beginning + end)
    return Reply(200, {}, beginning, Rest(file, len(beginning), len(end)))


def test_a_result_keeps_bytes_and_useful_headers_alone() -> None:
    headers = {
        **FROM_FAL,
        "content-type": "image/png",
        "set-cookie": "a=b",
        "x-fal-billable-units": "2",
    }
    result = read_queue_result(reply(200, b"\x89PNG\x00", headers))
    assert result.ok
    assert (result.body, result.content_type, result.request_id) == (
        b"\x89PNG\x00",
        "image/png",
        RID,
    )
    assert result.headers == {**FROM_FAL, "content-type": "image/png", "x-fal-billable-units": "2"}


RESULTS = {
    "an object": reply(200, {"images": []}),
    "an object, as JSON": reply(200, {"images": []}, kind="application/json; charset=utf-8"),
    "JSON under a wrong type": reply(200, {"images": []}, kind="text/html"),
    "JSON as text": reply(200, {"images": []}, kind="text/plain"),
    "null": reply(200, None),
    "a number": reply(200, 7),
    "a text": reply(200, "words"),
    "NaN": reply(200, b'{"score": NaN}', kind="application/json"),
    "an endless number": reply(200, b'{"n": ' + b"9" * 9999 + b"}", kind="application/json"),
    "a line break in a text": reply(200, b'{"text": "a\nb"}', kind="application/json"),
    "another charset": reply(200, '{"text": "é"}'.encode("latin-1"), kind="application/json"),
    "UTF-16": reply(200, '{"text": "é"}'.encode("utf-16"), kind="application/json"),
    "nested deeply": reply(200, b"[" * 9999, kind="application/json"),
    "a picture": reply(200, b"\x89PNG\x00", kind="image/png"),
    "bytes": reply(200, b"\x00\x01", kind="application/octet-stream"),
    "a model's page": reply(200, PAGE, FROM_FAL, kind="text/html"),
    "a model's text": reply(200, b"words", FROM_FAL, kind="text/plain"),
    "a model's bytes without a type": reply(200, b"\x89PNG\x00", FROM_FAL),
    "201": reply(201, {"images": []}),
    "202 of a model": reply(202, {"images": []}, FROM_FAL),
    "a model's own status": reply(200, {"status": "COMPLETED", "image": "x"}),
    "a model's word": reply(200, {"status": "COMPLETED"}),
    "a model's other status": reply(200, {"status": "queued", "request_id": "7"}),
    "the old wrapping": reply(200, {"status": "COMPLETED", "logs": None, "response": {"a": 1}}),
    "large": large(b'{"images": [', b'"x"]}\n'),
}


@pytest.mark.parametrize("answer", RESULTS.values(), ids=RESULTS)
def test_what_can_be_nothing_else_is_the_result(answer: Reply) -> None:
    result = read_queue_result(answer)
    assert result.ok
    assert result.body == answer.body


NOT_YET = {
    "202 and a status": reply(202, STATUS),
    "202 and a status of fal's": reply(202, STATUS, FROM_FAL),
    "202 and one word": reply(202, {"status": "IN_QUEUE"}),
    "202 and nothing": reply(202, b""),
    "202 and a page": reply(202, PAGE),
    "200 and a status": reply(200, STATUS, FROM_FAL),
    "200 and one word": reply(200, {"status": "IN_PROGRESS"}),
    "400": reply(400, {"detail": "Request is still in progress"}),
}


@pytest.mark.parametrize("answer", NOT_YET.values(), ids=NOT_YET)
def test_a_status_in_place_of_the_result_means_that_it_is_not_finished(answer: Reply) -> None:
    with pytest.raises(NotFinished):
        read_queue_result(answer)


NO_RESULTS = {
    "nothing": reply(200, b""),
    "white space": reply(200, b" \n", kind="application/json"),
    "204": reply(204, b""),
    "a page": reply(200, PAGE, kind="text/html; charset=utf-8"),
    "a page under a wrong type": reply(200, PAGE, kind="application/json"),
    "a page of bytes": reply(200, b"\n<!DOCTYPE html><p>log in", kind="application/octet-stream"),
    "a page without a type": reply(200, PAGE),
    "a proxy's words": reply(200, b"OK", kind="text/plain"),
    "words without a type": reply(200, b"OK"),
    "half a JSON": reply(200, b'{"images": [{"url": "https', kind="application/json"),
    "half a JSON without a type": reply(200, b'{"images": ['),
    "half a JSON of another type": reply(200, b'{"a": ', kind="application/problem+json"),
    "two JSONs": reply(200, b'{"a": 1}{"b": 2}', kind="application/json"),
    "an ended status": reply(200, {"status": "COMPLETED", "request_id": RID, "logs": None}),
    "half a large JSON": large(b'{"images": [', b'"x", "y'),
    "502 in HTML": reply(502, PAGE),
    "503 in JSON": reply(503, {"detail": "upstream"}),
    "503 of an infrastructure": reply(503, {"message": "no healthy upstream"}),
    "504 with a type": reply(504, {"detail": "x", "error_type": "request_timeout"}),
    "403 in HTML": reply(403, PAGE),
    "404 in HTML": reply(404, PAGE),
    "408": reply(408, {"message": "timeout"}),
    "301": reply(301, b""),
}


@pytest.mark.parametrize("answer", NO_RESULTS.values(), ids=NO_RESULTS)
def test_what_may_have_come_from_elsewhere_is_fetched_again(answer: Reply) -> None:
    with pytest.raises(NotTheResult) as caught:
        read_queue_result(answer)
    assert caught.value.retryable
    assert caught.value.status_code == answer.status_code
    assert not caught.value.is_from_fal


OF_FAL = {
    "nothing": reply(200, b"", FROM_FAL),
    "half a JSON": reply(200, b'{"a": ', FROM_FAL, kind="application/json"),
    "500": reply(500, {"detail": "out of memory"}, FROM_FAL),
    "500 in words": reply(500, b"plain words", FROM_FAL),
    "503 by type": reply(503, b"", {"x-fal-error-type": "runner_disconnected"}),
}


@pytest.mark.parametrize("answer", OF_FAL.values(), ids=OF_FAL)
def test_what_bears_fals_sign_is_fetched_again_and_says_what_it_is_if_it_never_changes(
    answer: Reply,
) -> None:
    with pytest.raises(NotTheResult) as caught:
        read_queue_result(answer)
    assert caught.value.is_from_fal
    assert caught.value.believed.ok is answer.is_success
    assert caught.value.believed.body == answer.body


@pytest.mark.parametrize(
    "answer",
    [
        reply(422, FIELDS),
        reply(400, {"detail": "bad"}),
        reply(422, ["bad"]),
        reply(413, b"too large", FROM_FAL),
        reply(499, {"detail": "x", "error_type": "client_cancelled"}),
        reply(404, FIELDS),
        reply(404, {"detail": {"loc": ["voice"], "msg": "Not found"}}),
        reply(404, {"detail": "Voice ana not found"}),
        reply(404, {"detail": "gone", "error_type": "bad_request"}),
    ],
    ids=range(9),
)
def test_the_models_own_no_is_the_result(answer: Reply) -> None:
    for read in (read_queue_result, read_run_result):
        result = read(answer)
        assert not result.ok
        assert result.error is not None
        assert result.body == answer.body


@pytest.mark.parametrize(
    "answer",
    [
        reply(404, {"status": "NOT_FOUND"}),
        reply(404, {"status": "NOT_FOUND"}, FROM_FAL),
        reply(404, b"no such request", FROM_FAL),
        reply(404, {"error": "Error", "message": "Path /quality not found"}),
        reply(404, {"detail": "Path /stream not found"}),
        reply(404, {"detail": "Not Found"}),
        reply(404, {"detail": "Request 12 not found"}),
        reply(410, {}),
        reply(401, {"detail": "invalid key credentials"}),
        reply(401, PAGE),
        reply(403, {"detail": "Exhausted balance"}),
        reply(429, {"detail": "too many"}, FROM_FAL),
        reply(429, b""),
    ],
    ids=range(13),
)
def test_fals_own_no_to_the_question_is_a_refusal(answer: Reply) -> None:
    for read in (read_queue_result, read_run_result):
        with pytest.raises(Refused):
            read(answer)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, PAGE, kind="text/html"),
        reply(200, b'{"a": ', kind="application/json"),
        reply(200, b""),
        reply(202, {"status": "IN_PROGRESS"}),
        reply(500, {"detail": "out of memory"}),
        reply(503, b"", {"x-fal-error-type": "runner_disconnected"}),
    ],
    ids=range(6),
)
def test_a_direct_run_cannot_be_asked_again_so_what_came_is_kept(answer: Reply) -> None:
    assert read_run_result(answer).body == answer.body


@pytest.mark.parametrize("status", [413, 415, 422, 431])
def test_a_direct_run_is_refused_by_a_code_that_is_said_before_anything_runs(status: int) -> None:
    with pytest.raises(Refused):
        read_run_result(reply(status, PAGE))


@pytest.mark.parametrize(
    "answer",
    [reply(502, PAGE), reply(403, PAGE), reply(503, {"message": "no"}), reply(301, b"")],
    ids=range(4),
)
def test_a_gateway_page_leaves_a_direct_run_unknown_and_never_repeatable(answer: Reply) -> None:
    with pytest.raises(Unanswered) as caught:
        read_run_result(answer)
    assert not caught.value.retryable
    assert caught.value.status_code == answer.status_code
