"""Connect to public addresses alone, for URLs that come from a model or a user.

Addresses are checked as they are resolved for the very connection, so that a name which changes in
between gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .sessions import tls

_NAT64 = IPv6Network("64:ff9b::/96")


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses alone; the hosts that the operator has named may have any."""

    def __init__(self, named: Iterable[str]) -> None:
        self._named = {host.lower() for host in named}
        self.has_refused = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises OSError when one of them is private."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for *_, address in found:
            self._ensure_public(host, str(address[0]))
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=of,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for of, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""

    def ensure_allowed(self, host: str) -> None:
        """Check a host that is an address already: it is not resolved. Raises OSError."""
        try:
            ip_address(host)
        except ValueError:
            return
        self._ensure_public(host, host)

    def _ensure_public(self, host: str, address: str) -> None:
        if host.lower() not in self._named and not is_public(ip_address(address)):
            self.has_refused = True
            raise OSError("a private address")


def guarded_session(resolver: PublicResolver) -> aiohttp.ClientSession:
    """Return a session for one call: no cookies, no proxy of the environment, and nothing is unpacked."""
    connector = aiohttp.TCPConnector(
        ssl=tls(), resolver=resolver, use_dns_cache=False, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        trace_configs=[_one_connection()],
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )


def _one_connection() -> aiohttp.TraceConfig:
    """Refuse a second connection: aiohttp asks again by itself when a host resets the first, unseen by the caller."""
    begun = False

    async def ensure_first(*_: Any) -> None:
        nonlocal begun
        if begun:
            raise ConnectionResetError("The host closed the connection.")
        begun = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(ensure_first)
    return trace


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is reachable from everywhere; an IPv4 address inside it counts, for a gateway may unpack it."""
    actual = _inside(address) if isinstance(address, IPv6Address) else address
    return actual.is_global and not actual.is_multicast


def _inside(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
