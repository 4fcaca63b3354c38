"""Pure: find the request in fal's list that belongs to a submit without a clear answer.

The list has no reference to our row: only endpoint, input and time can identify it, and a wrong match
would show a user the result of another request. So a match needs to be the only possible one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from requests_app.fal.finished import Listed
from requests_app.fal.transport import Timeouts

SLACK = timedelta(seconds=5)  # the largest tolerated difference between fal's clock and ours
ON_ITS_WAY = timedelta(seconds=Timeouts().submit_s)  # how long a submit may take
REACH = SLACK + ON_ITS_WAY + SLACK  # submits further apart than this cannot be confused

SEVERAL = (
    "fal's list has more than one finished request with this input from that time: nothing tells "
    "which of them this is."
)
TWIN = (
    "fal's list has a finished request with this input from that time, but it may be another than "
    "this: the same was, or may have been, sent more than once."
)


@dataclass(frozen=True)
class LostSubmit:
    """A submit without a clear answer: its endpoint, its input as parsed JSON, and its time."""

    endpoint_id: str
    input: Any
    sent_at: datetime

    @property
    def earliest(self) -> datetime:
        """The earliest time by fal's clock at which fal may have accepted it."""
        return self.sent_at - SLACK

    @property
    def latest(self) -> datetime:
        """The latest time by fal's clock at which fal may have accepted it."""
        return self.sent_at + ON_ITS_WAY + SLACK


@dataclass(frozen=True)
class Match:
    """The matched id, or a sentence why there is no unique match. Neither: it is not listed yet."""

    request_id: str = ""
    doubt: str = ""


def candidates(lost: LostSubmit, listed: Iterable[Listed]) -> Iterator[Listed]:
    """Yield the requests that may be the lost one, without their inputs: equal, and possibly large."""
    return (replace(one, input=None) for one in listed if _may_be(lost, one))


def _may_be(lost: LostSubmit, one: Listed) -> bool:
    in_time = one.sent_at is None or lost.earliest <= one.sent_at <= lost.latest
    return in_time and one.endpoint_id == lost.endpoint_id and is_same(lost.input, one.input)


def is_same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: 1 equals 1.0 but not true; the order of names is ignored."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def match_listed(found: Collection[str], *, claimed: Collection[str], has_twin: bool) -> Match:
    """Choose among the candidates' ids, given the ids that other rows have.

    `has_twin`: another row may have sent the same input at that time, whatever its status now.
    """
    free = set(found) - set(claimed)
    if not free:
        return Match()
    if len(free) > 1:
        return Match(doubt=SEVERAL)
    return Match(doubt=TWIN) if has_twin else Match(free.pop())
