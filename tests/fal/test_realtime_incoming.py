from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from requests_app.fal import Control, Incoming, decode_message, realtime_incoming
from requests_app.fal.realtime_incoming import MAX_DEPTH, MAX_NODES, SMALL_BYTES

PNG = b"\x89PNG\r\n\x1a\n" + bytes(5000)


def writable(message: Incoming) -> str:
    """As a page or a row would hold it: strict JSON, valid UTF-8."""
    text = json.dumps(message.value, allow_nan=False, ensure_ascii=False)
    text.encode()
    return text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": [1, 2.5, None, True, "ä\u2028\0"]}, {"a": [1, 2.5, None, True, "ä\u2028\0"]}),
        (5, 5),
        (2**64 - 1, 2**64 - 1),
        ({"b": b"\x00\xff"}, {"b": {"$bytes": "AP8=", "size": 2}}),
        ({"b": PNG}, {"b": {"$bytes_size": 5008, "media": "image/png"}}),
        (bytes(SMALL_BYTES), {"$bytes_size": 1024, "media": "application/octet-stream"}),
        ({1: "a", "1": "b"}, {"$map": [[1, "a"], ["1", "b"]]}),
        ({b"k": 1}, {"$map": [[{"$bytes": "aw==", "size": 1}, 1]]}),
        ([float("nan"), float("-inf")], [{"$float": "NaN"}, {"$float": "-Infinity"}]),
        (msgpack.Timestamp(1, 500_000_000), {"$timestamp": "1970-01-01T00:00:01.500000+00:00"}),
        (msgpack.Timestamp(2**62, 1), {"$timestamp": f"{2**62}.000000001"}),
        (msgpack.ExtType(5, b"x"), {"$ext": 5, "data": {"$bytes": "eA==", "size": 1}}),
    ],
)
def test_msgpack_is_shown_as_json(value: object, shown: object) -> None:
    raw = msgpack.packb(value)
    message = decode_message(raw)
    assert (message.kind, message.value) == ("msgpack", shown)
    assert (message.raw, message.size, message.control) == (raw, len(raw), None)
    writable(message)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\x82\xa1a\x01\xa1a\x02", {"$map": [["a", 1], ["a", 2]]}),
        (b"\x81\x91\x01\x02", {"$map": [[[1], 2]]}),
        (b"\x81\xa3img\xa2\xff\x80", {"img": {"$bytes": "/4A=", "size": 2}}),
        (b"\x81\x81\x01\x02\x03", {"$map": [[{"$map": [[1, 2]]}, 3]]}),
    ],
    ids=["twice the same key", "a list as key", "bytes in a string", "a map as key"],
)
def test_odd_maps_and_strings_lose_nothing(raw: bytes, shown: object) -> None:
    message = decode_message(raw)
    assert (message.kind, message.value) == ("msgpack", shown)


HOSTILE = {
    "empty": b"",
    "unused byte": b"\xc1",
    "cut": msgpack.packb({"a": "long enough"})[:-1],
    "more behind": msgpack.packb(1) + b"\x01",
    "huge array claimed": b"\xdd\xff\xff\xff\xff",
    "huge map claimed": b"\xdf\xff\xff\xff\xff",
    "huge bytes claimed": b"\xc6\xff\xff\xff\xff",
    "too deep for the library": b"\x91" * 5000 + b"\x01",
    "too deep for a page": b"\x91" * (MAX_DEPTH + 1) + b"\x01",
    "too deep maps": b"\x81\xa1a" * 900 + b"\x01",
    "too many items": msgpack.packb([0] * (MAX_NODES + 1)),
    "too many items in lists": msgpack.packb([[0] * 1000] * 101),
    "too many items in maps": msgpack.packb([{"a": 1}] * (MAX_NODES // 2 + 1)),
    "empty timestamp": b"\xc7\x00\xff",
    "impossible timestamp": b"\xc7\x0c\xff" + b"\xff" * 12,
    "a picture": PNG,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_msgpack_is_binary(raw: bytes) -> None:
    message = decode_message(raw)
    assert (message.kind, message.raw, message.size) == ("binary", raw, len(raw))
    assert message.value.get("size", message.value.get("$bytes_size")) == len(raw)


def test_the_deepest_message_that_is_shown_can_be_written() -> None:
    message = decode_message(b"\x91" * MAX_DEPTH + b"\x01")
    assert message.kind == "msgpack"
    assert writable(message).startswith("[" * MAX_DEPTH)


def peak_of(work: Callable[[], object]) -> int:
    """The most bytes that the work holds at once: it grows with what is made, whatever the machine does."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_arrays_that_each_claim_millions_cost_little_memory() -> None:
    claim = b"\xdd" + struct.pack(">I", 15_000_000)
    raw = claim * 500 + bytes(16_000_000)
    assert peak_of(lambda: decode_message(raw)) < 100_000_000
    assert decode_message(raw).kind == "binary"


@pytest.mark.slow
def test_a_flood_of_small_maps_is_left_early() -> None:
    raw = b"\xdc\x0f\xa0" + (b"\xdc\x03\xe8" + b"\x81\xa1a\x01" * 1000) * 4000
    assert msgpack.unpackb(raw[3:4006]) == [{"a": 1}] * 1000
    assert decode_message(raw).kind == "binary"
    assert peak_of(lambda: decode_message(raw)) < 50_000_000  # all of them take 770 million


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ('{"a":1}', "json", {"a": 1}),
        ("[1]", "json", [1]),
        ('{"x":NaN,"y":1e999}', "json", {"x": {"$float": "NaN"}, "y": {"$float": "Infinity"}}),
        ('{"a\\ud800":"\\udc80b"}', "json", {"a\ufffd": "\ufffdb"}),
        ("hello", "text", "hello"),
        ("", "text", ""),
        ("half \ud800", "text", "half \ufffd"),
        ("[" * 100_000, "text", "[" * 100_000),
        ("[" * 66 + "]" * 66, "text", "[" * 66 + "]" * 66),
        ("1" * 5000, "text", "1" * 5000),
        (f"[{'0,' * MAX_NODES}0]", "text", f"[{'0,' * MAX_NODES}0]"),
    ],
)
def test_text_frames_are_json_or_text(raw: str, kind: str, value: object) -> None:
    message = decode_message(raw)
    assert (message.kind, message.value, message.raw) == (kind, value, raw)
    writable(message)


def test_size_counts_bytes_on_the_wire() -> None:
    assert decode_message('"ä€"').size == 7


def test_json_in_a_binary_frame_is_json() -> None:
    message = decode_message(b'{"a": [1]}')
    assert (message.kind, message.value, message.raw) == ("json", {"a": [1]}, b'{"a": [1]}')
    assert decode_message(b"{broken").kind == "binary"


def test_control_messages_are_told_apart_in_text_frames_alone() -> None:
    told = {"type": "x-fal-error", "error": "TIMEOUT", "reason": "idle"}
    message = decode_message(json.dumps(told))
    assert (message.kind, message.value) == ("control", told)
    assert message.control == Control("timeout", "TIMEOUT", "idle")
    assert decode_message(msgpack.packb(told)).kind == "msgpack"


def test_the_request_id_is_read_from_either_form() -> None:
    assert decode_message('{"request_id":"a"}').request_id == "a"
    assert decode_message(msgpack.packb({"request_id": 7})).request_id == 7
    assert decode_message(msgpack.packb([1])).request_id is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_nothing_raises_out_of_the_reader(raw: bytes | str) -> None:
    message = decode_message(raw)
    assert message.raw == raw
    writable(message)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(width=32)
    | st.text()
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 3), inner, max_size=4)
    ),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans())
def test_the_short_way_shows_what_the_long_one_does(value: object, is_single: bool) -> None:
    raw = msgpack.packb(value, use_single_float=is_single)
    long_way = realtime_incoming._unpacked(raw)
    assert json.dumps(decode_message(raw).value) == json.dumps(long_way)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        '{"a": 7.50, "a": 1E2}',
        "[9007199254740993,  0.1000000000000000055]",
        '{"\\u00e9": "\\ud800"}',
    ],
)
def test_what_came_as_json_is_shown_letter_for_letter(text: str, binary: bool) -> None:
    message = decode_message(text.encode() if binary else text)
    assert (message.kind, message.text) == ("json", text)


@pytest.mark.parametrize(
    "raw", ['{"x": NaN}', "[1e400]", b"\x81\xa1a\x01", "plain", b"\x00\x01\xc1"]
)
def test_what_is_no_json_text_is_written_as_its_value_says(raw: str | bytes) -> None:
    message = decode_message(raw)
    assert json.loads(message.text) == message.value
