"""fal's list of the addresses of its webhooks: taken whole, or not at all."""

from __future__ import annotations

import json

import pytest

from requests_app.fal.jsontext import NotJson
from requests_app.fal.meta import MOST_RANGES, read_ranges


def document(*ranges: object) -> bytes:
    return json.dumps({"webhook_ip_ranges": list(ranges), "other": {"new": 1}}).encode()


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("34.123.59.101/32", "34.123.59.101/32"),
        ("34.123.59.101", "34.123.59.101/32"),
        (" 34.123.59.101/32\n", "34.123.59.101/32"),
        ("34.123.59.101/24", "34.123.59.0/24"),
        ("34.123.0.0/16", "34.123.0.0/16"),
        ("34.123.0.0/255.255.0.0", "34.123.0.0/16"),
        ("2600:1900::/32", "2600:1900::/32"),
        ("2600:1900::1", "2600:1900::1/128"),
        ("::1/128", "::1/128"),
        ("::ffff:34.123.59.101", "34.123.59.101/32"),
        ("::ffff:34.123.59.0/120", "34.123.59.0/24"),
    ],
)
def test_each_form_of_a_range_is_read(told: str, read: str) -> None:
    assert [str(one) for one in read_ranges(document(told))] == [read]


def test_the_order_stays_and_the_same_range_counts_once() -> None:
    found = read_ranges(document("192.0.2.2", "192.0.2.1", "192.0.2.2/32"))
    assert [str(one) for one in found] == ["192.0.2.2/32", "192.0.2.1/32"]


GOOD = "34.123.59.101/32"
WRONG = {
    "no JSON": b"<html>",
    "nothing": b"",
    "broken off": document(GOOD)[:-3],
    "no object": b"[]",
    "null": b"null",
    "no list": b"{}",
    "an empty list": document(),
    "a text": b'{"webhook_ip_ranges":"34.123.59.101/32"}',
    "an object": b'{"webhook_ip_ranges":{"a":"34.123.59.101/32"}}',
    "too many": document(*[f"10.0.{n // 256}.{n % 256}" for n in range(MOST_RANGES + 1)]),
    **{
        f"{one!r}": document(GOOD, one)
        for one in (
            "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "34.0.0.0/15", "2600::/31", "::ffff:0:0/96",
            "::ffff:0:0/95", "::ffff:34.0.0.0/104", "", "fal.ai", "34.123.59.101/33", "34.123.59", "1/2/3",
            None, 575355749, True, ["34.123.59.101/32"], {"a": 1}, 1.5,
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_list_with_anything_that_cannot_be_used_is_refused_whole(name: str) -> None:
    with pytest.raises(NotJson):
        read_ranges(WRONG[name])
