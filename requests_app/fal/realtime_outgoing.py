"""Encode outgoing realtime messages. Pure.

Bytes are written in JSON as ``{"$bytes": "<base64>"}``; msgpack carries them natively.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Literal

import msgpack
import msgspec

from .exactjson import compact
from .realtime_pairing import RequestId, request_id_of

MAX_BYTES = 16 * 1024 * 1024  # fal ends a session over a larger message, with code 1009
MAX_DEPTH = 64

Form = Literal["msgpack", "json"]


class InvalidMessage(ValueError):
    """The value cannot be sent; ``str()`` says why. Nothing has been sent."""


class Outgoing(msgspec.Struct, frozen=True):
    """One message as it goes on the wire: bytes are a binary frame, a str is a text frame."""

    data: bytes | str
    kind: Form
    size: int
    request_id: RequestId | None = None

    def __repr__(self) -> str:
        return f"<Outgoing {self.kind}, {self.size} bytes>"

    @classmethod
    def encode(cls, value: object, form: Form = "msgpack", *, typed: str | None = None) -> Outgoing:
        """Encode a parsed JSON value as a message; fal's own template reads msgpack only.

        `typed` is the JSON text the value was parsed from: its numbers and escapes are sent
        unchanged. Raises InvalidMessage.
        """
        plain = _with_bytes(value, form, MAX_DEPTH)
        data = _packed(plain) if form == "msgpack" else compact(typed) if typed else _written(plain)
        size = len(data) if isinstance(data, bytes) else len(data.encode())
        if size > MAX_BYTES:
            raise InvalidMessage(f"The message has {size} bytes; fal takes {MAX_BYTES} at most.")
        return cls(data, form, size, request_id_of(plain))


def _with_bytes(value: object, form: Form, depth: int) -> object:
    if depth < 0:
        raise InvalidMessage(f"The message is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, list):
        return [_with_bytes(item, form, depth - 1) for item in value]
    if not isinstance(value, dict):
        return value
    # "size" is allowed beside it, so that a received value can be copied into a message.
    if "$bytes" in value and value.keys() <= {"$bytes", "size"}:
        return _bytes(value["$bytes"], form)
    return {name: _with_bytes(item, form, depth - 1) for name, item in value.items()}


def _bytes(text: object, form: Form) -> bytes:
    if form == "json":
        raise InvalidMessage('Bytes ("$bytes") can be sent as msgpack only, not as JSON text.')
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]
    except (binascii.Error, ValueError, TypeError) as exc:
        raise InvalidMessage('"$bytes" has to hold base64 text.') from exc


def _packed(value: object) -> bytes:
    try:
        return bytes(msgpack.packb(value))
    except (OverflowError, ValueError, TypeError) as exc:
        raise InvalidMessage(
            "The message cannot be written as msgpack: numbers have 64 bits at most, text must "
            "not hold half characters."
        ) from exc


def _written(value: object) -> str:
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError) as exc:
        raise InvalidMessage(
            "The message cannot be written as JSON: NaN has no form there."
        ) from exc
