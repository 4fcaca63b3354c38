"""Decode a webhook's content encoding, never beyond a size limit. Pure."""

from __future__ import annotations

import zlib

ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})
_GZIP = 16 + zlib.MAX_WBITS


class Unpackable(ValueError):
    """It is not a whole gzip, or larger than the limit."""


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack one or more gzip members. Raises Unpackable before more than ``limit`` bytes are made."""
    if encoding.strip().lower() in ("", "identity"):
        return body
    whole = bytearray()
    while True:
        member = zlib.decompressobj(_GZIP)
        try:
            whole += member.decompress(body, limit + 1 - len(whole))
        except zlib.error as exc:
            raise Unpackable("The body is not readable gzip.") from exc
        if len(whole) > limit:
            raise Unpackable(f"The unpacked body is larger than {limit} bytes.")
        if not member.eof:
            raise Unpackable("The packed body was cut off.")
        if not (body := member.unused_data):
            return bytes(whole)
