"""URLs in fal's replies that must lead back here. Pure; all other bytes stay as they are."""

from __future__ import annotations

import re

# A member's name inside a text has its quotes escaped, so the pattern finds members alone.
_MEMBER = re.compile(
    rb'("(?:status_url|response_url|cancel_url)"\s*:\s*")((?:[^"\\]|\\.){1,4096})(?=")'
)
MOST_HELD = 8 * 1024 * 1024  # bytes of one line, or of one reply


class Rewriting:
    """Replaces the base of fal's queue by the base that the caller uses."""

    def __init__(self, theirs: str, ours: str) -> None:
        self._theirs, self._ours = f"{theirs}/".encode(), f"{ours}/".encode()

    def whole(self, body: bytes) -> bytes:
        """Return a JSON reply with its URLs replaced."""
        return _MEMBER.sub(self._replaced, body)

    def location(self, value: bytes) -> bytes:
        """Return where a redirect leads, if it stays in the queue."""
        return self._moved(value)

    def _replaced(self, found: re.Match[bytes]) -> bytes:
        return found[1] + self._moved(found[2].replace(b"\\/", b"/"))

    def _moved(self, url: bytes) -> bytes:
        if not url.startswith(self._theirs):
            return url
        return self._ours + url[len(self._theirs) :]


class Lines:
    """Rewrites a stream line by line: an incomplete line waits for its end."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._rewriting = rewriting
        self._half = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what can be passed on."""
        whole, newline, half = (self._half + chunk).rpartition(b"\n")
        if len(half) > MOST_HELD:
            whole, newline, half = whole + newline + half, b"", b""
        self._half = half
        return self._rewriting.whole(whole + newline) if whole or newline else b""

    def close(self) -> bytes:
        """Return what was left at the end."""
        rest, self._half = self._half, b""
        return self._rewriting.whole(rest)
