"""A packed body is unpacked whole, and never beyond the limit."""

from __future__ import annotations

import gzip

import pytest

from requests_app.fal.webhook_encoding import Unpackable, unpacked

BODY = b'{"request_id": "r1"}' * 50
PACKED = gzip.compress(BODY)


@pytest.mark.parametrize("encoding", ["gzip", " GZIP ", "x-gzip"])
def test_gzip_is_unpacked_also_in_several_members(encoding: str) -> None:
    assert unpacked(PACKED, encoding, len(BODY)) == BODY
    assert unpacked(PACKED + PACKED, encoding, 2 * len(BODY)) == BODY * 2


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_plain_body_is_left_as_it_is(encoding: str) -> None:
    assert unpacked(PACKED, encoding, 1) == PACKED


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", PACKED[:-1], PACKED[:20], PACKED + b"x", PACKED + PACKED, gzip.compress(b" " * 50_000_000)],
    ids=["nothing", "plain", "no end", "cut", "more behind", "too much", "a bomb"],
)  # fmt: skip
def test_what_is_no_whole_gzip_or_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(Unpackable):
        unpacked(body, "gzip", len(BODY))
