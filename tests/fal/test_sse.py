from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.sse import EventTooLarge, SseDecoder, SseEvent


def decode(*chunks: bytes) -> list[SseEvent]:
    decoder = SseDecoder(limit=1000)
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()


def test_a_unicode_line_separator_inside_data_does_not_end_the_line() -> None:
    text = '{"t":"a\u2028b\u2029c\x85d\x0be\x0cf"}'
    assert [event.data for event in decode(f"data: {text}\n\n".encode())] == [text]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_each_of_the_three_line_ends_ends_a_line(end: str) -> None:
    source = f"event: a{end}data: 1{end}data: 2{end}id: 7{end}{end}data: 3{end}{end}"
    first, second = decode(source.encode())
    assert (first.name, first.data, first.event_id) == ("a", "1\n2", "7")
    assert (second.name, second.data, second.event_id) == ("", "3", None)


def test_an_event_ended_by_cr_is_not_held_back_until_the_next_chunk() -> None:
    assert [event.data for event in SseDecoder(limit=1000).feed(b"data: 1\r\r")] == ["1"]


SOURCE = (
    "\ufeff: ping\r\n\r\ndata: ü😀\r\nid: 1\r\n\r\nevent: x\rdata:a\rdata\r\rdata: b\n\n".encode()
)


@given(st.sets(st.integers(1, len(SOURCE) - 1)))
def test_it_does_not_matter_where_chunks_are_cut(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(SOURCE)]
    chunks = [SOURCE[a:b] for a, b in pairwise(places)]
    found = [(e.name, e.data, e.event_id) for e in decode(*chunks)]
    assert found == [("", "ü😀", "1"), ("x", "a\n", None), ("", "b", None)]


PIECES = (
    b"data: a\n\n", b"data: \n\n", b"data:  b\n\n", b"data:c\n\n", b"data: 1\ndata: 2\n\n", b"data: \xff\n\n",
    b"data: a\r\n\r\n", b"data: a\rdata: b\n\n", b": ping\n\n", b"event: x\n", b"id: 7\n", b"data", b"\n", b"\r",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)))
def test_a_burst_in_one_chunk_gives_the_events_of_single_bytes(pieces: list[bytes]) -> None:
    begin, burst = b": begin\n\n", b"".join(pieces)
    cuts = [begin, burst], [bytes([byte]) for byte in begin + burst]
    one, other = ([(e.name, e.data, e.event_id) for e in decode(*chunks)] for chunks in cuts)
    assert one == other


def test_a_plain_event_over_the_limit_ends_the_reading_also_in_a_burst() -> None:
    decoder = SseDecoder(limit=30)
    assert [event.data for event in decoder.feed(b"data: 1\n\ndata: 2\n\n")] == ["1", "2"]
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: 3\n\ndata: " + b"x" * 30 + b"\n\n")


def test_comments_pings_and_unknown_fields_give_no_event() -> None:
    assert decode(b": ping\n\n: ping\n\nretry: 5\n\nevent: a\n\nfoo: bar\n\n\n\n") == []


def test_an_id_with_a_nul_is_passed_over() -> None:
    assert decode(b"id: a\0b\ndata: 1\n\n")[0].event_id is None


def test_only_one_space_after_the_colon_belongs_to_the_syntax() -> None:
    assert decode(b"data:  a \n\n")[0].data == " a "


def test_bytes_that_are_no_utf8_are_shown_and_do_not_end_the_stream() -> None:
    assert [event.data for event in decode(b"data: \xff\n\ndata: ok\n\n")] == ["\ufffd", "ok"]


def test_the_raw_size_counts_the_bytes_of_the_event_alone() -> None:
    first, second = decode(b": ping\n\ndata: 12345\n\n", "data: ü\n\n".encode())
    assert (first.raw_size, second.raw_size) == (13, 10)


@pytest.mark.parametrize(
    "source",
    [b"data: " + b"x" * 200, b"data: x\n" * 30, b"x" * 200, b":" + b"x" * 200],
    ids=range(4),
)
def test_an_event_over_the_limit_ends_the_reading(source: bytes) -> None:
    decoder = SseDecoder(limit=100)
    with pytest.raises(EventTooLarge):
        for at in range(0, len(source), 7):
            decoder.feed(source[at : at + 7])


def test_a_large_line_costs_the_time_and_memory_of_its_size_not_of_its_chunks() -> None:
    size = 16 * 1024 * 1024
    decoder = SseDecoder(limit=size + 100)
    chunk = b"x" * 4096
    began = time.thread_time()
    assert decoder.feed(b"data: ") == []
    for _ in range(size // len(chunk)):
        assert decoder.feed(chunk) == []
    [event] = decoder.feed(b"\n\n")
    assert (len(event.data), event.raw_size) == (size, size + 8)
    assert time.thread_time() - began < 5  # seconds; were it quadratic: copies of 32 GB


def test_many_events_and_pings_under_the_limit_are_fine() -> None:
    decoder = SseDecoder(limit=100)
    events = [
        event for _ in range(100) for event in decoder.feed(b": ping\ndata: 0123456789\n\n: ping\n")
    ]
    assert len(events) == 100


def test_pings_alone_never_add_up_to_the_limit() -> None:
    decoder = SseDecoder(limit=100)
    for _ in range(1000):
        assert decoder.feed(b": ping\n") == []


@pytest.mark.parametrize(
    ("source", "data", "is_cut"),
    [
        (b'data: {"a":1}\n', '{"a":1}', False),
        (b"data: 1\ndata: 2\r", "1\n2", False),
        (b'data: {"a":', '{"a":', True),
        (b"data: 1\ndata: 2", "1\n2", True),
        (b"data: 1\nda", "1", True),
        (b"data: 1\nid: 7", "1", True),
        (b"data:", "", True),
        ("data: ü".encode()[:-1], "\ufffd", True),
    ],
)
def test_at_the_end_an_event_without_its_empty_line_counts_and_one_in_a_half_line_is_cut(
    source: bytes, data: str, is_cut: bool
) -> None:
    [event] = decode(source)
    assert (event.data, event.is_cut, event.raw_size) == (data, is_cut, len(source))


@pytest.mark.parametrize("source", [b"da", b": pin", b"id: 7", b"event: x", b"\xef\xbb\xbf"])
def test_a_half_line_without_a_text_is_no_event(source: bytes) -> None:
    assert decode(source) == []
    assert [event.is_cut for event in decode(b"data: 1\n\n" + source)] == [False]


@pytest.mark.parametrize(
    ("came", "half"),
    [
        (b"data: wh", ["wh"]), (b"data: a\ndata: b\n", ["a\nb"]), (b"data: {}\n", ["{}"]), (b"data: a\n\n", []),
        (b": comment\n", []), (b"event: x\nid: 1\n", []), (b"", []),
    ],
)  # fmt: skip
def test_what_came_of_an_event_before_a_break_is_handed_out_once_as_cut(
    came: bytes, half: list[str]
) -> None:
    decoder = SseDecoder(limit=1000)
    decoder.feed(came)
    cut = decoder.close(is_broken=True)
    assert [(event.data, event.is_cut) for event in cut] == [(text, True) for text in half]
    assert decoder.close(is_broken=True) == []


def test_an_event_over_the_limit_leaves_nothing_to_be_handed_out() -> None:
    decoder = SseDecoder(limit=10)
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: " + b"x" * 20)
    assert decoder.close(is_broken=True) == []
