from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from requests_app.accounts.network import network_of


def seen(address: str, **headers: str) -> str:
    return network_of(RequestFactory().get("/", REMOTE_ADDR=address, headers=headers))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("192.0.2.7:5123", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"), ("", "unknown"), ("unix:", "unknown"), ("x" * 999, "unknown"),
    ],
)  # fmt: skip
def test_an_address_belongs_to_a_network(settings: Any, address: str, network: str) -> None:
    settings.BEHIND_PROXY = False
    assert seen(address) == network


@pytest.mark.parametrize("forged", ["203.0.113.9", "203.0.113.9, 198.51.100.1", "x"])
def test_without_a_proxy_no_header_is_believed(settings: Any, forged: str) -> None:
    settings.BEHIND_PROXY = False
    assert seen("192.0.2.7", x_forwarded_for=forged) == "192.0.2.7"


@pytest.mark.parametrize(
    ("header", "network"),
    [
        ("198.51.100.1", "198.51.100.1"), ("203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("1, 2, 2001:db8:1:2::1", "2001:db8:1:2::/64"), ("198.51.100.1, nonsense", "unknown"),
    ],
)  # fmt: skip
def test_behind_a_proxy_what_it_added_is_believed(settings: Any, header: str, network: str) -> None:
    settings.BEHIND_PROXY = True
    assert seen("127.0.0.1", x_forwarded_for=header) == network


def test_a_proxy_that_adds_nothing_is_the_network(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    assert seen("192.0.2.7") == "192.0.2.7"
