"""The client's network address, as precise as a rate limit needs it."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

UNKNOWN = "unknown"
IPV6_PREFIX = 64  # one customer's line has at least as many addresses


def network_of(request: HttpRequest) -> str:
    """Return the IPv4 address or the IPv6 network; behind a proxy the one the proxy saw.

    A proxy appends to X-Forwarded-For at the right: entries further left were sent by the client.
    """
    return network_in(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For"))


def network_in(remote: str, forwarded: str | None) -> str:
    """Return the same for a call that is no request of Django's."""
    address = _address_in(remote, forwarded)
    if address is None:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))


def address_of(request: HttpRequest) -> Address | None:
    """Return the whole address, of the same client as `network_of`; None where it cannot be read."""
    return _address_in(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For"))


def _address_in(remote: str, forwarded: str | None) -> Address | None:
    text = remote
    if settings.BEHIND_PROXY and forwarded is not None:
        text = forwarded.rpartition(",")[2]
    return _address(text.strip())


def _address(text: str) -> Address | None:
    """Parse also `[address]:port` and `address:port`; IPv4 inside IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
