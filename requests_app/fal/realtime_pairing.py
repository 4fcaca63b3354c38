"""Match replies to requests of a realtime session. Pure; the caller passes the time.

fal's protocol pairs nothing: inputs may be dropped, outputs of a unary endpoint change places when
several are on the way. So a pair is returned only when it is certain, and ``None`` is a normal
answer.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_OUTSTANDING = 1000

RequestId = str | int


class Pair(NamedTuple):
    """``number`` is the request's own; ``round_trip_s`` the seconds between."""

    number: int
    round_trip_s: float


class _Sent(NamedTuple):
    number: int
    request_id: RequestId | None
    at_s: float


class Pairing:
    """Call it for every message sent and received. ``unary``: one input has exactly one output."""

    def __init__(self, *, unary: bool) -> None:
        self._unary = unary
        self._outstanding: list[_Sent] = []
        self._unclaimed = 0
        self._overflown = False

    def sent(self, number: int, request_id: RequestId | None, at_s: float) -> None:
        """Note an outgoing request; its replies are paired with ``number``."""
        self._outstanding.append(_Sent(number, request_id, at_s))
        if len(self._outstanding) > MAX_OUTSTANDING:
            del self._outstanding[0]
            self._overflown = True  # from now on "exactly one" is no longer certain

    def received(self, request_id: RequestId | None, at_s: float) -> Pair | None:
        """Return the request that a reply answers, None when that is not certain."""
        found = self._by_id(request_id) or self._by_order(request_id)
        if found is None:
            self._count_unclaimed()
            return None
        if self._unary:
            self._outstanding.remove(found)
            self._settle()
        return Pair(found.number, at_s - found.at_s)

    def _by_id(self, request_id: RequestId | None) -> _Sent | None:
        if request_id is None:
            return None
        same = [sent for sent in self._outstanding if _same(sent.request_id, request_id)]
        return same[0] if len(same) == 1 else None  # an id used twice proves nothing

    def _by_order(self, request_id: RequestId | None) -> _Sent | None:
        if not self._unary or self._overflown or len(self._outstanding) != 1:
            return None
        [only] = self._outstanding
        # Two different ids contradict each other, whatever the order says.
        return only if request_id is None or only.request_id is None else None

    def _count_unclaimed(self) -> None:
        """Count an output without a certain request: it answered one of the outstanding ones.

        When as many outputs as outstanding requests have come, start afresh.
        """
        if self._unary and self._outstanding:
            self._unclaimed += 1
            self._settle()

    def _settle(self) -> None:
        if self._unclaimed >= len(self._outstanding):
            self._outstanding.clear()
            self._unclaimed = 0


def _same(one: RequestId | None, other: RequestId) -> bool:
    return type(one) is type(other) and one == other


def request_id_of(message: object) -> RequestId | None:
    """Return the id that a message carries, if it is usable."""
    found = message.get("request_id") if isinstance(message, dict) else None
    is_id = isinstance(found, str | int) and not isinstance(found, bool)
    return found if is_id else None
