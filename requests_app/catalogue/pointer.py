"""JSON pointers (RFC 6901): the place of a value in an input. Pure."""

from __future__ import annotations

from collections.abc import Iterable


def pointer(names: Iterable[str | int]) -> str:
    """Return the pointer through these names and indexes: ("a/b", 0) -> /a~1b/0."""
    return "".join(f"/{str(name).replace('~', '~0').replace('/', '~1')}" for name in names)
