"""Which addresses a URL that was named by a model or a user may lead to."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import aiohttp
import pytest

from requests_app.fal.public_addresses import PublicResolver, guarded_session, is_public

PRIVATE = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "2002:7f00:1::", "2002:a9fe:a9fe::",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "104.16.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


def test_private_reserved_and_wrapped_addresses_are_not_public() -> None:
    assert [one for one in PRIVATE if is_public(ip_address(one))] == []
    assert [one for one in PUBLIC if not is_public(ip_address(one))] == []


async def test_a_name_that_resolves_to_a_private_address_is_refused_unless_it_was_named() -> None:
    guard = PublicResolver([])
    with pytest.raises(OSError, match="a private address"):
        await guard.resolve("localhost", 80)
    with pytest.raises(OSError, match="a private address"):
        guard.ensure_allowed("::1")
    assert guard.has_refused
    guard.ensure_allowed("a-name")  # judged when it is resolved
    named = PublicResolver(["LOCALHOST"])
    assert [one["port"] for one in await named.resolve("localhost", 80)]
    assert not named.has_refused


async def test_a_host_that_resets_its_connection_is_asked_once() -> None:
    asked = 0

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    host = await asyncio.start_server(reset, "127.0.0.1", 0)
    port = host.sockets[0].getsockname()[1]
    async with host, guarded_session(PublicResolver(["127.0.0.1"])) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://127.0.0.1:{port}/a.png")
    assert asked == 1
