"""The `Range` header of a player that seeks (RFC 9110). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII | re.IGNORECASE)


class ByteRange(NamedTuple):
    """From the first to the last byte, both included, counted from 0."""

    first: int
    last: int


class OutOfRange(ValueError):
    """No byte of it is there."""


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the part of `size` bytes a header asks for; None: everything. Raises OutOfRange.

    Several ranges, other units and what cannot be read may be answered with everything.
    """
    asked = _ONE_RANGE.fullmatch(header.strip())
    first, last = asked.groups() if asked else ("", "")
    if not first and not last:
        return None
    if not first:  # the last so many bytes
        found = ByteRange(max(0, size - int(last)), size - 1)
    else:
        found = ByteRange(int(first), min(int(last), size - 1) if last else size - 1)
        if last and int(last) < int(first):
            return None
    if found.first >= size or found.first > found.last:
        raise OutOfRange
    return found
