from __future__ import annotations

import base64
import json
import math

import msgpack
import pytest

from requests_app.fal import InvalidMessage, Outgoing, decode_message
from requests_app.fal.realtime_outgoing import MAX_BYTES


def test_a_json_value_goes_out_as_msgpack() -> None:
    value = {"prompt": "ä\u2028", "steps": 4, "scale": 1.0, "seed": None, "on": True, "n": [1, {}]}
    message = Outgoing.encode(value)
    assert isinstance(message.data, bytes)
    assert msgpack.unpackb(message.data) == value
    assert isinstance(msgpack.unpackb(message.data)["scale"], float)
    assert (message.kind, message.size, message.request_id) == ("msgpack", len(message.data), None)


def test_bytes_are_written_as_base64_and_go_out_as_bytes() -> None:
    image = bytes(range(256))
    text = base64.b64encode(image).decode()
    value = {"image": {"$bytes": text}, "more": [{"$bytes": "", "size": 0}], "request_id": "r"}
    message = Outgoing.encode(value)
    expected = {"image": image, "more": [b""], "request_id": "r"}
    assert msgpack.unpackb(message.data) == expected
    assert message.request_id == "r"


def test_what_came_in_can_be_copied_into_a_message() -> None:
    raw = msgpack.packb({"image": b"\x00\xff", "n": 1})
    assert Outgoing.encode(decode_message(raw).value).data == raw


def test_an_object_that_only_mentions_bytes_stays_an_object() -> None:
    value = {"$bytes": "AA==", "other": 1}
    assert msgpack.unpackb(Outgoing.encode(value).data) == value


def test_json_text_goes_out_as_text() -> None:
    message = Outgoing.encode({"a": "ä", "request_id": 3}, "json")
    assert isinstance(message.data, str)
    assert json.loads(message.data) == {"a": "ä", "request_id": 3}
    assert (message.kind, message.size, message.request_id) == ("json", len(message.data), 3)


@pytest.mark.parametrize(
    ("value", "form", "sentence"),
    [
        ({"x": {"$bytes": "AA=="}}, "json", "msgpack only"),
        ({"x": {"$bytes": "A"}}, "msgpack", "base64"),
        ({"x": {"$bytes": "A A="}}, "msgpack", "base64"),
        ({"x": {"$bytes": "ä"}}, "msgpack", "base64"),
        ({"x": {"$bytes": 5}}, "msgpack", "base64"),
        ({"x": 2**64}, "msgpack", "64 bits"),
        ({"x": "\ud800"}, "msgpack", "half characters"),
        ({"x": object()}, "msgpack", "msgpack"),
        ({"x": math.nan}, "json", "NaN"),
    ],
)
def test_what_cannot_be_sent_is_told_in_a_sentence(value: object, form: str, sentence: str) -> None:
    with pytest.raises(InvalidMessage, match=sentence):
        Outgoing.encode(value, form)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["msgpack", "json"])
def test_a_bottomless_message_is_refused(form: str) -> None:
    value: list = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(InvalidMessage, match="64 levels"):
        Outgoing.encode(value, form)  # type: ignore[arg-type]


def test_a_message_larger_than_fal_takes_is_refused_here() -> None:
    fits = Outgoing.encode("x" * (MAX_BYTES - 5))
    assert fits.size == MAX_BYTES
    with pytest.raises(InvalidMessage, match=f"{MAX_BYTES} at most"):
        Outgoing.encode("x" * (MAX_BYTES - 4))


def test_the_content_of_a_message_does_not_show_in_its_repr() -> None:
    assert "private" not in repr(Outgoing.encode({"prompt": "private"}))


@pytest.mark.parametrize("typed", ['{"a": 7.50}', "1E2", "[0.1000000000000000055]", '"\\u00e9"'])
def test_json_text_keeps_the_digits_and_escapes_that_were_typed(typed: str) -> None:
    message = Outgoing.encode(json.loads(typed), "json", typed=typed)
    plain = typed.replace(" ", "")
    assert (message.data, message.size) == (plain, len(plain))
