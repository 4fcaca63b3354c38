"""Which bytes a pointer into a shown message leads to."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from requests_app.fal.realtime_incoming import decode_message
from requests_app.record.message_bytes import bytes_at, showable_type

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 2000


def pointers(shown: Any, path: str = "") -> list[str]:
    """Where bytes stand in a message as it is shown."""
    if isinstance(shown, dict):
        if "$bytes" in shown or "$bytes_size" in shown:
            return [path]
        pairs: Any = shown.items()
    elif isinstance(shown, list):
        pairs = enumerate(shown)
    else:
        return []
    escaped = [(str(key).replace("~", "~0").replace("/", "~1"), value) for key, value in pairs]
    return [found for key, value in escaped for found in pointers(value, f"{path}/{key}")]


@pytest.mark.parametrize(
    "message",
    [
        {"image": PNG},
        {"images": [{"content": PNG}, {"content": PNG}]},
        {"a/b": {"~c~1": PNG}, "2": PNG, "1": PNG},
        [1, [PNG]],
        {1: PNG, b"\xff": [PNG]},
        {"ext": msgpack.ExtType(7, PNG)},
        PNG,
    ],
)
def test_every_place_that_is_shown_leads_to_its_bytes(message: Any) -> None:
    raw = msgpack.packb(message)
    shown = decode_message(raw)
    assert shown.kind == "msgpack"
    found = [bytes_at(raw, place) for place in pointers(shown.value)]
    assert PNG in found
    assert set(found) <= {PNG, b"\xff"}


def test_text_that_holds_bytes_gives_them_back() -> None:
    raw = b"\x81\xa1a\xa2\xff\xd8"  # a map, "a", a text of two bytes that are no UTF-8
    assert pointers(decode_message(raw).value) == ["/a"]
    assert bytes_at(raw, "/a") == b"\xff\xd8"


def test_the_empty_pointer_is_the_whole_of_a_binary_message() -> None:
    assert decode_message(PNG).kind == "binary"
    assert bytes_at(PNG, "") == PNG


@pytest.mark.parametrize(
    "place", ["/", "/x", "/image/0", "/list/9", "/list/x", "/list/-1", "/list/00000009", "/list", "/n",
              "/list/٣"]
)  # fmt: skip
def test_a_pointer_to_nothing_finds_nothing(place: str) -> None:
    raw = msgpack.packb({"image": PNG, "list": [1], "n": None})
    assert bytes_at(raw, place) is None


@pytest.mark.parametrize("raw", [b"", b"\xc1", b"\x91" * 5000, b"\xdf\xff\xff\xff\xff", b"{}"])
def test_bytes_that_are_no_message_hold_nothing(raw: bytes) -> None:
    assert bytes_at(raw, "/a") is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"%PDF-1.7", None),
        (b"\x1a\x45\xdf\xa3", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", None),
        (b"<html>", None),
        (b"", None),
    ],
)
def test_only_known_pictures_and_sounds_are_shown(data: bytes, expected: str | None) -> None:
    assert showable_type(data) == expected


def test_a_message_beyond_the_bound_of_the_parser_is_not_unpacked_here_either() -> None:
    deep = msgpack.packb([[[b"x"]] * 60_000, [[b"y"]] * 60_000])
    assert bytes_at(deep, "/0/0/0") is None
    assert bytes_at(deep, "") == deep
