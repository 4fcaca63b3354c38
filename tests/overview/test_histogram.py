"""Durations in bins: exact ranks, values within 5 %, and sums that are those of the parts."""

from __future__ import annotations

from collections import Counter
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from requests_app.overview.histogram import Bins, add_flat, bin_of, flat, percentiles

SECONDS = st.lists(st.floats(0.001, 86_400 * 30), min_size=1, max_size=60)


def binned(seconds: list[float]) -> Bins:
    return Counter(map(bin_of, seconds))


@given(SECONDS, SECONDS)
def test_percentiles_of_added_parts_are_within_five_percent(
    ones: list[float], others: list[float]
) -> None:
    whole = binned(ones)
    add_flat(whole, flat(binned(others)))
    found = percentiles(whole)
    ordered = sorted([*ones, *others])
    assert found
    assert found.of == len(ordered)
    for share, value in ((0.5, found.half), (0.9, found.ninety), (0.99, found.ninety_nine)):
        exact = ordered[ceil(share * len(ordered)) - 1]
        assert abs(value - exact) <= 0.05 * exact + 1e-9


def test_nothing_has_no_percentiles_and_no_time_at_all_is_none() -> None:
    assert percentiles(Counter()) is None
    found = percentiles(binned([0, 0, 0]))
    assert found
    assert (found.half, found.ninety_nine) == (0, 0)
