"""Pure: durations in bins whose bounds grow by a tenth, so that those of many spans can be added up.

A percentile is exact in rank and at most 5 % off in value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, log

GROWTH = 1.1  # each bin's upper bound beside the last one's
_LOG = log(GROWTH)
_LAST = 400  # beyond any duration

Bins = Counter[int]


@dataclass(frozen=True)
class Percentiles:
    """Seconds that half, 90 % and 99 % of so many (`of`) stay under."""

    half: float
    ninety: float
    ninety_nine: float
    of: int


def bin_of(seconds: float) -> int:
    """Return the bin of a duration; 0 is for less than a millisecond."""
    ms = seconds * 1000
    return 0 if ms < 1 else min(max(ceil(log(ms) / _LOG), 1), _LAST)


def value_of(number: int) -> float:
    """Return the seconds that a bin stands for: equally far, in percent, from both of its bounds."""
    return 0.0 if number == 0 else 2 * GROWTH**number / (GROWTH + 1) / 1000


def percentiles(bins: Bins) -> Percentiles | None:
    """Return the percentiles by nearest rank; None of nothing."""
    of = sum(bins.values())
    if not of:
        return None
    half, ninety, most = _values_at(bins, [ceil(of * share) for share in (0.5, 0.9, 0.99)])
    return Percentiles(half, ninety, most, of)


def _values_at(bins: Bins, ranks: list[int]) -> Iterable[float]:
    """Yield the value at each rank; ranks rise."""
    passed, waiting = 0, iter(sorted(bins))
    number = 0
    for rank in ranks:
        while passed < rank:
            number = next(waiting)
            passed += bins[number]
        yield value_of(number)


def flat(bins: Bins) -> list[int]:
    """Write bins as they are stored: a bin, its count, the next bin, its count."""
    return [part for pair in sorted(bins.items()) for part in pair]


def add_flat(bins: Bins, stored: list[int]) -> None:
    """Add stored bins."""
    for number, count in zip(stored[::2], stored[1::2], strict=True):
        bins[number] = bins.get(number, 0) + count
