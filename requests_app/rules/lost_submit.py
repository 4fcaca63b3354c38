"""Pure: which of the requests that fal lists is the one whose submit got no clear answer?

Nothing in the list names our row. Only endpoint, input and time can tell, and a wrong guess would show
somebody the result of another request. So one is recognised when nothing else can be meant, and never
on a likelihood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from requests_app.fal.finished import Listed
from requests_app.fal.transport import Timeouts

SLACK = timedelta(seconds=5)  # between fal's clock and ours
ON_ITS_WAY = timedelta(seconds=Timeouts().submit_s)  # how long a submit may be
REACH = SLACK + ON_ITS_WAY + SLACK  # submits further apart than this cannot be taken for each other

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
    """A submit without a clear answer: to which endpoint, with which input (as values), when."""

    endpoint_id: str
    input: Any
    sent_at: datetime

    @property
    def earliest(self) -> datetime:
        """When fal may have taken it at the earliest, by fal's clock."""
        return self.sent_at - SLACK

    @property
    def latest(self) -> datetime:
        """When fal may have taken it at the latest, by fal's clock."""
        return self.sent_at + ON_ITS_WAY + SLACK


@dataclass(frozen=True)
class Match:
    """The id that was recognised, or why nobody can tell (a sentence); neither: it is not there yet."""

    request_id: str = ""
    doubt: str = ""


def candidates(lost: LostSubmit, listed: Iterable[Listed]) -> Iterator[Listed]:
    """Those that may be the lost one, without their inputs, which are the same and may be large."""
    return (replace(one, input=None) for one in listed if _may_be(lost, one))


def _may_be(lost: LostSubmit, one: Listed) -> bool:
    in_time = one.sent_at is None or lost.earliest <= one.sent_at <= lost.latest
    return in_time and one.endpoint_id == lost.endpoint_id and is_same(lost.input, one.input)


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, but true is not 1; the order of names is no matter."""
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
    """What the ids of the candidates tell, given those that other rows have.

    `has_twin`: another row may have been sent the same at that time, whatever has become of it.
    """
    free = set(found) - set(claimed)
    if not free:
        return Match()
    if len(free) > 1:
        return Match(doubt=SEVERAL)
    return Match(doubt=TWIN) if has_twin else Match(free.pop())
