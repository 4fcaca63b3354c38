"""Room on Python's stack: calls map no memory, however deep they are."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable

import pytest
from django.conf import settings

from dashboard.stack_room import roomy, stack_room

DEPTH, CALLS = 300, 200
pytestmark = pytest.mark.skipif(
    not hasattr(resource, "RUSAGE_THREAD"), reason="counts page faults of a thread, as Linux does"
)


def leaf() -> None:
    """The call that falls over the edge of a chunk at some depth."""


def descend(depth: int) -> None:
    for _ in range(CALLS):
        leaf()
    if depth:
        descend(depth - 1)


def faults(act: Callable[[], None]) -> int:
    act()
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    act()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def test_calls_at_any_depth_map_no_memory() -> None:
    @roomy
    def act() -> None:
        descend(DEPTH)

    assert faults(act) < CALLS / 2


def test_it_returns_what_the_page_answers_and_raises_what_it_raises() -> None:
    middleware = stack_room(lambda request: request)  # type: ignore[arg-type, return-value]
    assert middleware("a request") == "a request"  # type: ignore[arg-type, comparison-overlap]
    with pytest.raises(ZeroDivisionError):
        stack_room(lambda request: 1 / 0)("a request")  # type: ignore[arg-type, return-value]


def test_it_stands_before_all_other_middleware() -> None:
    assert settings.MIDDLEWARE[0] == "dashboard.stack_room.stack_room"


def test_recursion_is_as_limited_as_before() -> None:
    @roomy
    def act() -> None:
        descend(sys.getrecursionlimit())

    with pytest.raises(RecursionError):
        act()
