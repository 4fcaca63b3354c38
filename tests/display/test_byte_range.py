"""The `Range` header of a player that seeks."""

from __future__ import annotations

import pytest

from requests_app.display.byte_range import OutOfRange, parse_range


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", None), ("bytes=0-", (0, 99)), ("bytes=0-0", (0, 0)), ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)), ("bytes=-10", (90, 99)), ("bytes=-500", (0, 99)),
        (" Bytes=5-6 ", (5, 6)), ("bytes=6-5", None), ("bytes=-", None), ("bytes=0-1,4-5", None),
        ("lines=0-1", None), ("bytes=a-b", None), ("bytes=" + "9" * 400 + "-", None),
    ],
)  # fmt: skip
def test_a_single_range_is_read_and_anything_else_means_everything(header, found):
    assert parse_range(header, 100) == found


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header):
    with pytest.raises(OutOfRange):
        parse_range(header, 100)
