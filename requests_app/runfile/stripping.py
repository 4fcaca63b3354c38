"""Keep secrets out of a file that leaves the house: in all bytes, also across pieces.

Each secret becomes as many asterisks, so that sizes stay what they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from requests_app.keys import key_of
from requests_app.keys.ring import environment_key
from requests_app.models import FalKey

LONGEST = 4096  # bytes of one secret with what stands before it
SHORTEST = 8  # of a key that is looked for: a shorter one would be found in any text
_HALF = 16  # of a key's second half, which is looked for alone

# Quotes may be escaped, for a text may stand inside of another.
_QUOTE = rb"[\\\"']{0,8}"
_UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BEFORE_VALUE = _QUOTE + rb"\s{0,8}[:=]\s{0,8}" + _QUOTE

# Each with a word that stands in it, in lower case: most bytes have none of them, and are not searched.
# The first group of a pattern stays, the second is masked.
_PATTERNS = (
    # our webhook's secret path, also escaped in a query
    (
        b"hooks",
        rb"(hooks(?:/|%2F|\\/)fal(?:/|%2F|\\/)" + _UUID + rb"(?:/|%2F|\\/))([\w-]{1,100})",
    ),
    # API tokens and virtual keys of ours
    (b"fdk_", rb"(fdk_)([\w-]{8,200})"),
    # the value of an Authorization header
    (
        b"authorization",
        rb"(authorization"
        + _BEFORE_VALUE
        + rb"(?:bearer|key|basic|token)\s{1,8})([^\s\"'\\,}]{1,2000})",
    ),
    # what signs the address of a webhook
    (
        b"webhook",
        rb"(webhook[\w-]{0,40}" + _BEFORE_VALUE + rb"https?:(?://|\\/\\/)[^\s\"'?&]{1,1000}\?)"
        rb"([^\s\"'\\&]{1,1000}(?:&[^\s\"'\\&]{1,200}){0,8})",
    ),
)
_BEFORE_COLON = 36  # bytes of a UUID
# A key as fal makes them. It begins with one sign, which is found as quickly as a word.
_FALS_KEY = re.compile(rb"(:(?<=" + _UUID + rb":))([0-9a-f]{32})\b")


class Stripper:
    """Masks what must not leave: these secrets, and what looks like one. `count`: how many so far."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {form.encode() for one in secrets for form in (one, quote(one, safe=""))}
        known = [one for one in spellings if len(one) >= SHORTEST]
        known.sort(key=len, reverse=True)
        self._patterns = [
            (word, re.compile(pattern, re.IGNORECASE)) for word, pattern in _PATTERNS
        ] + [(one.lower(), re.compile(rb"()(" + re.escape(one) + rb")")) for one in known]
        self.count = 0

    @classmethod
    def of_team(cls, team_id: int) -> Stripper:
        """Look for the keys of the team and of the installation."""
        keys = [
            key_of(pk) for pk in FalKey.objects.filter(team=team_id).values_list("pk", flat=True)
        ]
        secrets = [key.secret for key in (environment_key(), *keys) if key.secret]
        halves = [one.partition(":")[2] for one in secrets]
        return cls([*secrets, *(half for half in halves if len(half) >= _HALF)])

    def strip(self, data: bytes) -> bytes:
        """Return a whole text without secrets."""
        return b"".join(self.strip_each([data]))

    def strip_each(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the same bytes without secrets, holding back what may be half of one."""
        buffer = b""
        for piece in pieces:
            buffer += piece
            if len(buffer) < 4 * LONGEST:
                continue
            cut = self._cut(buffer)
            yield self._masked(buffer[:cut])
            buffer = buffer[cut:]
        yield self._masked(buffer)

    def _cut(self, buffer: bytes) -> int:
        """Return where to part it so that no secret is parted: one may still begin behind that."""
        cut, moved = len(buffer) - LONGEST, True
        while moved:
            moved = False
            start = max(0, cut - LONGEST)
            for pattern in self._in(buffer[start:]):
                for match in pattern.finditer(buffer, start):
                    first = match.start() - (_BEFORE_COLON if pattern is _FALS_KEY else 0)
                    if first < cut < match.end():
                        cut, moved = first, True
        return cut

    def _masked(self, data: bytes) -> bytes:
        for pattern in self._in(data):
            data, count = pattern.subn(lambda match: match[1] + b"*" * len(match[2]), data)
            self.count += count
        return data

    def _in(self, data: bytes) -> list[re.Pattern[bytes]]:
        """Return the patterns that may find something."""
        text = data.lower()
        return [pattern for word, pattern in self._patterns if word in text] + [_FALS_KEY]
