"""Each way a stream can end at the wire, and what the row, its record and its page say of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app import lifecycle
from requests_app.display.explain import explain
from requests_app.fal.transport import HELD, MESSAGE
from requests_app.models import FalRequest, OutputPart, Status, Team
from requests_app.record.frame import sketch
from requests_app.worker.steps import advance
from tests.builders import fresh, make_request
from tests.fal.peer import NGINX_502, Step, events, html, reply
from tests.worker.conftest import PeerThread, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = b'data: {"output": "a", "partial": true}\n\n'
DONE = b"data: [DONE]\n\n"


class Streamed:
    """A stream that was read to its end: its row, the texts of its record, the words of its page."""

    def __init__(self, row: FalRequest) -> None:
        self.row = row
        self.output = bytes(row.output or b"").decode(errors="replace")
        self.frames = list(row.frames.order_by("number").values_list("data", flat=True))
        self.told = explain(row, bytes(row.output or b""))


@pytest.fixture
def stream(loop: Any, peer: PeerThread, team: Team, owner: User) -> Any:
    def whole(step: Step) -> Streamed:
        row = make_request(team=team, person=owner, mode="stream")
        peer.will(step)
        loop.run(advance(row.pk), timeout_s=30)
        assert len(peer.requests) == 1
        return Streamed(fresh(row))

    return whole


@pytest.mark.slow
@pytest.mark.parametrize("more", [b"", DONE])
@pytest.mark.parametrize(
    "last",
    [
        b'data: {"error":"boom","message":"x"}\n\n',
        b'data: {"type":"error","message":"boom"}\n\n',
        b"event: error\ndata: boom\n\n",
        b'event: error\ndata: {"message":"boom"}\n\n',
        b'data: {"output":"a","error":"boom","partial":false}\n\n',
        b'data: {"status":"failed","error":"boom","request_id":"x"}\n\n',
    ],
)
def test_an_error_at_the_end_fails_the_stream_and_nothing_that_came_is_lost(
    stream: Any, last: bytes, more: bytes
) -> None:
    seen = stream(events(FIRST, last, more) if more else events(FIRST, last))
    assert seen.row.status == Status.FAILED
    assert "boom" in seen.row.error
    assert len(seen.frames) == 2 + bool(more)
    assert "boom" in seen.output
    assert seen.told.title == "The model failed in the middle of the stream"
    assert "boom" in seen.row.observations.last().note


@pytest.mark.slow
@pytest.mark.parametrize(
    "after",
    [
        b"event: done\ndata: {}\n\n", b"data: {}\n\n", b"data:\n\n", b": keep-alive\n\n" + DONE,
        b'data: {"output": "all", "partial": false}\n\n', b'event: ping\ndata: {"time": 1}\n\n' + DONE,
        b'data: {"output": "ha',
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "error",
    [b'event: error\ndata: {"detail": "boom"}\n\n', b'data: {"error": {"message": "boom"}}\n\n'],
)
def test_an_error_fails_the_stream_whatever_comes_after_it(
    stream: Any, error: bytes, after: bytes
) -> None:
    seen = stream(events(FIRST, error, after))
    assert (seen.row.status, seen.row.error) == (Status.FAILED, "boom")
    assert seen.told.sentence == "boom"
    assert seen.told.title == "The model failed in the middle of the stream"


def test_an_error_is_told_though_the_connection_breaks_after_it(stream: Any) -> None:
    seen = stream(events(FIRST, b'data: {"error": "boom"}\n\n', end=False))
    assert (seen.row.status, seen.row.error) == (Status.FAILED, "boom")


@pytest.mark.slow
@pytest.mark.parametrize(
    "end",
    [
        b"data:\n\n", b"data\n\n", b"data: \ndata: \n\n", b": ping\n\n", b"data: [DONE]\n\n", b"data: {}\n\n",
        b"data: null\n\n", b"event: ping\ndata: 17\n\n", b"event: done\ndata: done\n\n", b"id: 7\n\n",
        b'data: {"type": "done"}\n\n', b'data: {"output": ""}\n\n', b'data: {"usage": {"tokens": 3}}\n\n',
    ],
)  # fmt: skip
def test_a_closing_or_keep_alive_event_leaves_the_output_as_it_was(stream: Any, end: bytes) -> None:
    seen = stream(events(b'data: {"output": "ab"}\n\n', end, b": bye\n\n", end))
    assert (seen.row.status, seen.output) == (Status.COMPLETED, '{"output": "ab"}')


@pytest.mark.parametrize(
    ("step", "error_type"),
    [
        (events(FIRST), "partial_stream"),
        (events(FIRST, b'data: {"output":"ha'), "partial_stream"),
        (events(FIRST, end=False), "interrupted"),
    ],
)
def test_the_output_that_came_is_kept_of_a_stream_that_is_not_whole(
    stream: Any, step: Step, error_type: str
) -> None:
    seen = stream(step)
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, error_type)
    assert seen.output == '{"output": "a", "partial": true}'
    assert seen.told.fields == ()


@pytest.mark.slow
@pytest.mark.parametrize("said", [b"", b'event: ping\ndata: 1\n\ndata: {"progress": 0.5}\n\n'])
@pytest.mark.parametrize("way", ["stop", "timeout"])
def test_a_stream_that_we_end_keeps_the_output_that_came(
    loop: Any, peer: PeerThread, team: Team, owner: User, settings: Any,
    way: str, said: bytes,
) -> None:  # fmt: skip
    row = make_request(team=team, person=owner, mode="stream")
    peer.will(events(FIRST + said, wait=asyncio.Event()))
    if way == "timeout":
        settings.STREAM_TIMEOUT_S = 2
    loop.spawn(advance(row.pk))
    wait_for(lambda: row.frames.exists())
    if way == "stop":
        lifecycle.ask_cancel(row.pk, person=owner, now=timezone.now())
    wait_for(lambda: fresh(row).is_ended)
    ended = fresh(row)
    assert (ended.status, ended.error_type) == {
        "stop": (Status.CANCELLED, ""), "timeout": (Status.FAILED, "hung_up")
    }[way]  # fmt: skip
    assert bytes(ended.output or b"").decode() == '{"output": "a", "partial": true}'
    assert len(peer.requests) == 1


@pytest.mark.parametrize("done", [b"", DONE, b"data:   [DONE]  \n\n"])
def test_the_output_is_the_last_event_that_says_something(stream: Any, done: bytes) -> None:
    last = b'data: {"output": "all", "error": null}\n\n'
    seen = stream(events(FIRST, last + done))
    assert seen.row.status == Status.COMPLETED
    assert json.loads(seen.output) == {"output": "all", "error": None}


def test_a_partial_output_stays_one_though_it_is_called_done(stream: Any) -> None:
    seen = stream(events(FIRST, DONE))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, "partial_stream")
    assert len(seen.frames) == 2


def test_nothing_but_done_is_an_empty_stream(stream: Any) -> None:
    seen = stream(events(DONE))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, "empty_stream")


@pytest.mark.parametrize(
    ("half", "kept"),
    [
        (b'data: {"output":"half', '{"output":"half'),
        (b'data: {"output":\ndata: "half', '{"output":\n"half'),
        (b"data: 12", "12"),  # of 125, it may be
        (b"data: ", ""),
    ],
)
def test_a_close_in_the_middle_of_an_event_is_told_and_what_came_of_it_is_kept(
    stream: Any, half: bytes, kept: str
) -> None:
    seen = stream(events(b'data: {"output": "a"}\n\n', half))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, "partial_stream")
    assert seen.frames == ['{"output": "a"}', kept]
    assert "in the middle of event 2" in seen.row.observations.last().note
    assert seen.told.title == "The stream was closed in the middle of its output"


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\ndata: [DONE]"])
def test_an_output_is_whole_though_lines_are_missing_behind_it(stream: Any, end: bytes) -> None:
    seen = stream(events(FIRST, b'data: {"output": "all"}' + end))
    assert (seen.row.status, seen.output) == (Status.COMPLETED, '{"output": "all"}')


@pytest.mark.slow
@pytest.mark.parametrize("size", [2 * 2**20, HELD + 1000, MESSAGE - 1000])
def test_a_picture_inside_an_event_is_recorded_whole(stream: Any, size: int) -> None:
    data = json.dumps({"image": "A" * (size - 100)})
    seen = stream(events(FIRST, f"data: {data}\n\n".encode()))
    assert seen.row.status == Status.COMPLETED
    assert seen.frames[1] == data
    assert sketch(seen.row.frames.get(number=2))["data"] is None
    assert seen.row.output_size == len(data)
    assert len(seen.output) == (len(data) if len(data) <= HELD else 2**20)
    parts = OutputPart.objects.filter(request=seen.row).order_by("number")
    assert seen.output + "".join(bytes(part.data).decode() for part in parts) == data


LINES = b'{"response": "a"}\n{"response": "b", "done": true}\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("audio/mpeg", b"ID3\x04" + bytes(range(256)) * 40), ("image/png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        ("video/mp4", b"\0\0\0\x18ftypisom"), ("application/x-ndjson", LINES), ("application/json", LINES),
        ("application/stream+json", LINES), ("application/jsonl", LINES), ("text/plain", b"hello"),
        ("text/plain; charset=utf-8", "h\u00e9".encode()), ("text/csv", b"a,b\n1,2\n"), ("application/pdf", b"%PDF-1"),
        ("application/octet-stream", b"\xff\0\xfe"), ("", b"no type"), ("", b"\xff\xd8\xff"),
        ("application/json", b'{"loss": NaN, "error": "none"}'), ("model/gltf-binary", b"glTF"),
    ],
    ids=range(16),
)  # fmt: skip
def test_a_reply_that_is_no_stream_is_the_output(
    stream: Any, content_type: str, body: bytes
) -> None:
    seen = stream(
        reply(200, body, content_type, x_fal_request_id="11111111-1111-4111-8111-111111111111")
    )
    assert (seen.row.status, seen.row.error) == (Status.COMPLETED, "")
    assert bytes(seen.row.output) == body
    assert seen.row.output_type == content_type


@pytest.mark.parametrize(
    ("content_type", "body", "error_type"),
    [
        ("application/x-ndjson", b'{"response": "a"}\n{"error": "boom"}\n', ""),
        ("text/plain", b'{"detail": "boom"}', ""),
        ("", b'{"error": {"message": "boom"}}', ""),
        ("text/html", NGINX_502, "unreadable"),
        ("application/json", b"{no", "unreadable"),
    ],
)
def test_a_reply_that_tells_of_an_error_is_kept_and_failed(
    stream: Any, content_type: str, body: bytes, error_type: str
) -> None:
    seen = stream(reply(200, body, content_type))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, error_type)
    assert error_type or seen.row.error == "boom"
    assert bytes(seen.row.output) == body


@pytest.mark.parametrize("content_type", ["audio/mpeg", "application/json", ""])
def test_an_empty_reply_is_an_empty_stream(stream: Any, content_type: str) -> None:
    seen = stream(reply(200, b"", content_type))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, "empty_stream")


def test_events_without_a_content_type_are_events(stream: Any) -> None:
    seen = stream(reply(200, b'data: {"output": "a"}\n\ndata: {"output": "ab"}\n\n', ""))
    assert (seen.row.status, seen.output) == (Status.COMPLETED, '{"output": "ab"}')
    assert len(seen.frames) == 2


@pytest.mark.parametrize(("size", "status"), [(60_000, "completed"), (70_000, "failed")])
def test_a_reply_that_is_no_stream_is_bounded_by_the_limit_of_outputs(
    stream: Any, settings: Any, size: int, status: str
) -> None:
    settings.OUTPUT_LIMIT_BYTES = 65_536
    seen = stream(reply(200, b"A" * size, "audio/mpeg"))
    assert seen.row.status == status
    assert seen.row.error_type == ("" if status == "completed" else "output_too_large")


@pytest.mark.slow
def test_a_large_answer_in_place_of_a_stream_is_its_one_event(stream: Any) -> None:
    data = json.dumps({"image": "A" * (HELD + 1000)})
    seen = stream(reply(200, data.encode()))
    assert (seen.row.status, seen.frames) == (Status.COMPLETED, [data])


@pytest.mark.parametrize(
    ("half", "kept", "says"),
    [
        (b'data: {"output": "ha', '{"output": "ha', "part"),
        (b"event: word\ndata: a\ndata: b\n", "a\nb", "part"),
        (b'data: {"output": "ab"}\n', '{"output": "ab"}', "output"),
        (b'data: {"error": "boom"}\n', '{"error": "boom"}', "error"),
    ],
)
def test_half_an_event_before_a_break_is_in_the_record(
    stream: Any, half: bytes, kept: str, says: str
) -> None:
    seen = stream(events(FIRST, half, end=False))
    assert seen.frames[1:] == [kept]
    assert seen.row.frames.get(number=2).says == says
    assert seen.row.error_type == ("" if says == "error" else "interrupted")
    assert seen.output == (seen.frames[0] if says == "part" else kept)


def test_the_record_has_what_each_event_says(stream: Any) -> None:
    seen = stream(
        events(FIRST, b'event: ping\ndata: 1\n\ndata: {"progress": 1}\n\n', b"event: error\ndata: boom\n\n")
    )  # fmt: skip
    said = [sketch(frame)["says"] for frame in seen.row.frames.order_by("number")]
    assert said == ["output", "nothing", "note", "error"]


AGAIN = "Running it again costs again"


@pytest.mark.parametrize(
    ("step", "error_type", "title", "advice"),
    [
        (reply(200, NGINX_502, "text/html"), "unreadable", "cannot be read as a stream", AGAIN),
        (reply(200, b"{no", "application/json"), "unreadable", "cannot be read as a stream", AGAIN),
        (html(502), "gateway_error", "A server on the way failed", "Look at your usage at fal"),
        (events(FIRST, end=False), "interrupted", "The connection broke off", "Run it again"),
    ],
)
def test_only_a_broken_connection_is_called_one(
    stream: Any, step: Step, error_type: str, title: str, advice: str
) -> None:
    seen = stream(step)
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, error_type)
    assert title in seen.told.title
    assert advice in seen.told.advice
    assert "billed" in seen.row.error
    assert ("broke off" in seen.row.error) == (error_type == "interrupted")


def test_an_event_over_the_limit_says_so_and_what_came_before_it_is_kept(stream: Any) -> None:
    seen = stream(events(FIRST, b"data: " + b"A" * MESSAGE + b"\n\n"))
    assert (seen.row.status, seen.row.error_type) == (Status.FAILED, "event_too_large")
    assert "larger than 33,554,432 bytes" in seen.row.error
    assert "broke off" not in seen.row.error
    assert len(seen.frames) == 1
    assert seen.told.title == "An event of the stream is too large"
    assert AGAIN in seen.told.advice


def test_a_stream_that_outgrew_its_record_tells_how_many_events_there_were(
    stream: Any, settings: Any
) -> None:
    settings.RECORD_FRAMES = 3
    seen = stream(events(*[f"data: {number}\n\n".encode() for number in range(10)]))
    assert (seen.row.status, seen.frames, seen.output) == ("completed", ["0", "1", "2"], "9")
    notes = dict(seen.row.observations.values_list("kind", "note"))
    assert "neither kept nor shown" in notes["capped"]
    assert "10 frames in all" in notes["counted"]
