"""Decode incoming realtime messages into JSON values. Pure, and never raises.

What JSON cannot hold becomes::

    bytes               {"$bytes": "<base64>", "size": n}, from SMALL_BYTES on
                        {"$bytes_size": n, "media": "image/png"}
    map, other keys     {"$map": [[key, value], …]}        also when a key comes twice
    NaN, Infinity       {"$float": "NaN"}
    timestamp           {"$timestamp": "<ISO 8601, or seconds>"}
    other extension     {"$ext": code, "data": <bytes as above>}
"""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any, Literal

import msgpack
import msgspec

from .realtime_control import Control, read_control
from .realtime_media import media_type
from .realtime_pairing import RequestId, request_id_of

SMALL_BYTES = 1024
MAX_DEPTH = 64
MAX_NODES = 100_000
PLAIN_BYTES, PLAIN_DEPTH = 64 * 1024, 8  # within the two limits above

MessageKind = Literal["msgpack", "json", "text", "binary", "control"]


class _Undecodable(ValueError):
    """Deeper or larger than a page could show."""


class Incoming(msgspec.Struct, frozen=True):
    """One message as it came. ``value`` can always be written as JSON; ``size`` is in wire bytes.

    ``raw`` is str for a text frame. What cannot be decoded is "binary" or "text" and kept whole.
    """

    kind: MessageKind
    value: Any
    raw: bytes | str
    size: int
    control: Control | None = None
    request_id: RequestId | None = None
    typed: str | None = None  # the text of a JSON message that can be shown unchanged

    @property
    def text(self) -> str:
        """Return the message as JSON text: JSON letter for letter, the rest as in `value`."""
        return self.typed or msgspec.json.encode(self.value).decode()

    def __repr__(self) -> str:
        return f"<Incoming {self.kind}, {self.size} bytes>"


def decode_message(raw: bytes | str) -> Incoming:
    """Decode one message. Never raises."""
    if isinstance(raw, bytes):
        return _decode_binary(raw)
    size = len(raw.encode("utf-8", "surrogatepass"))
    try:
        value, typed = _read_json(raw)
    except (ValueError, RecursionError):
        return Incoming("text", _text(raw), raw, size)
    control = read_control(value)
    kind: MessageKind = "control" if control else "json"
    return Incoming(kind, value, raw, size, control, request_id_of(value), typed)


def _read_json(text: str) -> tuple[Any, str | None]:
    """Return the value, and the text itself if all of it is valid JSON (no NaN, no 1e400)."""
    reader = _Reader()
    value = reader.shown(json.loads(text))
    return value, None if reader.has_odd_floats else text


def _decode_binary(raw: bytes) -> Incoming:
    try:
        value = _plain(raw)
        if value is _NOT_PLAIN:
            value = _unpacked(raw)
    # The library has no common base class: hostile input raised ValueError, OverflowError and
    # RecursionError; a reader that dies of one message would lose the whole session.
    except Exception:
        return _decode_json_bytes(raw)
    return Incoming("msgpack", value, raw, len(raw), None, request_id_of(value))


def _decode_json_bytes(raw: bytes) -> Incoming:
    """Decode JSON in a binary frame, which an app with its own encoder may send."""
    if raw[:1] in (b"{", b"["):
        try:
            value, typed = _read_json(raw.decode())
        except (ValueError, RecursionError):
            pass
        else:
            return Incoming("json", value, raw, len(raw), None, request_id_of(value), typed)
    return Incoming("binary", shown_bytes(raw), raw, len(raw))


def shown_bytes(data: bytes) -> dict[str, Any]:
    """Show bytes as JSON: in full when they are few, else their count and media type."""
    if len(data) < SMALL_BYTES:
        return {"$bytes": base64.b64encode(data).decode("ascii"), "size": len(data)}
    return {"$bytes_size": len(data), "media": media_type(data)}


# Most messages hold only what JSON can hold. For them this takes a tenth of the time.
_Plain: Any = str | int | float | bool | None
for _ in range(PLAIN_DEPTH):
    _Plain = dict[str, _Plain] | list[_Plain] | str | int | float | bool | None

_decode_plain = msgspec.msgpack.Decoder(_Plain).decode
_encode_plain = msgspec.msgpack.Encoder().encode
# or NaN: all exponent bits are set
_may_be_infinite = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]").search
_NOT_PLAIN = object()


def _plain(raw: bytes) -> Any:
    """Return a value that JSON can hold unchanged, or `_NOT_PLAIN`.

    A value that encodes to the same bytes has lost nothing, such as a repeated key.
    """
    if len(raw) > PLAIN_BYTES:
        return _NOT_PLAIN
    try:
        value = _decode_plain(raw)
    except ValueError:
        return _NOT_PLAIN
    is_same = _encode_plain(value) == raw
    return value if is_same and not _may_be_infinite(raw) else _NOT_PLAIN


class Pairs(list[tuple[Any, Any]]):
    """A msgpack map with unchecked keys: they may be of any type, and repeat."""


def unpack(raw: bytes) -> Any:
    """Decode msgpack within MAX_NODES; maps become Pairs. Hostile bytes raise any exception."""
    return _unpack(raw, _Reader(is_packed=True))


def _unpack(raw: bytes, reader: _Reader) -> Any:
    return msgpack.unpackb(
        raw,
        strict_map_key=False,
        unicode_errors="surrogateescape",
        # A nest of arrays that each claim millions of items would take seconds otherwise.
        max_array_len=MAX_NODES,
        max_map_len=MAX_NODES,
        list_hook=reader.counted,
        object_pairs_hook=reader.counted_pairs,
    )


def _unpacked(raw: bytes) -> Any:
    reader = _Reader(is_packed=True)
    return reader.shown(_unpack(raw, reader))


class _Reader:
    """Makes one decoded value fit for JSON, within MAX_NODES and MAX_DEPTH.

    Raises ValueError beyond them.
    """

    def __init__(self, *, is_packed: bool = False) -> None:
        self._is_packed = is_packed
        self.has_odd_floats = False
        self._unpacked = 0
        self._nodes = 0

    def counted(self, items: list[Any]) -> list[Any]:
        self._unpacked += len(items)
        if self._unpacked > MAX_NODES:
            raise _Undecodable
        return items

    def counted_pairs(self, pairs: list[tuple[Any, Any]]) -> Pairs:
        return Pairs(self.counted(pairs))

    def shown(self, value: Any, depth: int = 0) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise _Undecodable
        if isinstance(value, Pairs):
            return self._map(value, depth + 1)
        if isinstance(value, list):
            return [self.shown(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {_text(k): self.shown(v, depth + 1) for k, v in value.items()}
        return self._text(value) if isinstance(value, str) else self._scalar(value)

    def _text(self, text: str) -> Any:
        if _is_plain(text):
            return text
        if self._is_packed:  # old msgpack writers put bytes into strings
            return shown_bytes(text.encode("utf-8", "surrogateescape"))
        return _text(text)

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            self.has_odd_floats = True
            return {"$float": json.dumps(value)}
        return _scalar(value)

    def _map(self, pairs: Pairs, depth: int) -> dict[str, Any]:
        shown = [[self.shown(key, depth), self.shown(item, depth)] for key, item in pairs]
        if all(isinstance(key, str) for key, _ in shown):
            named = dict(shown)
            if len(named) == len(shown):
                return named
        return {"$map": shown}


def _scalar(value: Any) -> Any:
    if isinstance(value, bytes):
        return shown_bytes(value)
    if isinstance(value, msgpack.Timestamp):
        return {"$timestamp": _moment(value)}
    if isinstance(value, msgpack.ExtType):
        return {"$ext": value.code, "data": shown_bytes(value.data)}
    return value


def _moment(stamp: msgpack.Timestamp) -> str:
    try:
        return str(stamp.to_datetime().isoformat())
    except (OverflowError, ValueError):  # before the year 1 or after 9999
        return f"{stamp.seconds}.{stamp.nanoseconds:09}"


def _is_plain(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(text: str) -> str:
    """Replace lone surrogates by U+FFFD: neither UTF-8 nor a page can hold them."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
