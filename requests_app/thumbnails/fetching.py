"""Fetch a picture from a media host: bounded in bytes and time, no redirect, never from a private address.

The address comes from a model, so it is untrusted. Its host must be one of FAL_MEDIA_HOSTS, and must
resolve to public addresses, unless that setting names the very host (the sandbox, a store in the
operator's own network). Addresses are checked as they are resolved for this connection, so that a name
which changes in between gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from requests_app.display.media_hosts import SOURCE, is_showable
from requests_app.fal.sessions import tls
from requests_app.thumbnails.problems import NoThumbnail

MOST_BYTES = 32 * 1024 * 1024
DEADLINE_S = 20.0  # from the name's resolution to the last byte
_CHUNK = 64 * 1024
_GONE = (401, 403, 404, 410)  # an expired address is refused in one of these ways
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "faldeck"}


async def fetch_picture(
    url: str,
    sources: Sequence[str],
    *,
    most: int = MOST_BYTES,
    deadline_s: float = DEADLINE_S,
) -> bytes:
    """Return the bytes behind the address. Raises NoThumbnail."""
    if not is_showable(url, sources):
        raise NoThumbnail("The picture is not on one of the media hosts.", is_final=True)
    resolver = _Guard(sources)
    try:
        async with asyncio.timeout(deadline_s), _session(resolver) as session:
            resolver.ensure_allowed(urlsplit(url).hostname or "")
            async with session.get(url, headers=_HEADERS, allow_redirects=False) as reply:
                return await _body(reply, most)
    except TimeoutError:
        sentence = f"The picture did not arrive within {deadline_s:g} s."
        raise NoThumbnail(sentence, is_final=False) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if resolver.has_refused:
            raise NoThumbnail("The picture's host has a private address.", is_final=True) from error
        sentence = f"The picture could not be fetched: {type(error).__name__}."
        raise NoThumbnail(sentence, is_final=False) from error


def _session(resolver: _Guard) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=tls(), resolver=resolver, use_dns_cache=False, force_close=True
    )
    # Nothing is unpacked: a picture is compressed already, and a bomb is not.
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )


async def _body(reply: aiohttp.ClientResponse, most: int) -> bytes:
    if reply.status != 200:
        is_gone = reply.status in _GONE
        words = "is no longer there" if is_gone else "could not be fetched"
        is_redirect = 300 <= reply.status < 400
        sentence = f"The picture {words}: HTTP {reply.status}."
        raise NoThumbnail(sentence, is_final=is_redirect)
    raw = bytearray()
    if (reply.content_length or 0) <= most:
        async for piece in reply.content.iter_chunked(_CHUNK):
            raw += piece
            if len(raw) > most:
                break
        else:
            return bytes(raw)
    raise NoThumbnail(f"The picture is larger than {most:,} bytes.", is_final=True)


class _Guard(AbstractResolver):
    """Resolves names to public addresses alone; the hosts that a source names may have any."""

    def __init__(self, sources: Sequence[str]) -> None:
        found = (SOURCE.fullmatch(source) for source in sources)
        self._named = {parts["host"].lower() for parts in found if parts}
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
        if host.lower() not in self._named and not _is_public(ip_address(address)):
            self.has_refused = True
            raise OSError("a private address")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    actual = mapped or address
    return actual.is_global and not actual.is_multicast
