"""Send a message to a webhook: one POST with JSON, to public addresses alone, and no redirect is followed."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlsplit

import aiohttp
from django.conf import settings

from requests_app.fal.public_addresses import PublicResolver, guarded_session
from requests_app.notices.answers import NoticeMessage, TryAnswer, TryResult

DEADLINE_S = 15.0
MOST_ANSWER = 2000  # bytes that are read of an answer
_SHOWN = 120  # characters
_HEADERS = {"User-Agent": "faldeck", "Accept-Encoding": "identity"}


async def send_webhook(address: str, message: NoticeMessage) -> TryAnswer:
    """Return what the host answered. 2xx: sent; 429, 5xx: again later; others: refused."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    resolver = PublicResolver(settings.NOTICE_HOSTS)
    if parts.scheme != "https" and host.lower() not in map(str.lower, settings.NOTICE_HOSTS):
        return TryAnswer(TryResult.REFUSED, "The address has to begin with https://.")
    has_left = False
    try:
        async with asyncio.timeout(DEADLINE_S), guarded_session(resolver) as session:
            resolver.ensure_allowed(host)
            call = session.post(
                address, json=message.values, headers=_HEADERS, allow_redirects=False
            )
            has_left = True
            async with call as reply:
                return _answer(reply.status, await reply.content.read(MOST_ANSWER))
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
        return _not_sent(resolver, error)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # also the deadline
        if resolver.has_refused or not has_left:
            return _not_sent(resolver, error)
        return TryAnswer(TryResult.UNKNOWN, f"The host did not answer: {type(error).__name__}.")


def _not_sent(resolver: PublicResolver, error: Exception) -> TryAnswer:
    if resolver.has_refused:
        words = "The host has a private address. The operator can allow it by NOTICE_HOSTS."
        return TryAnswer(TryResult.REFUSED, words)
    return TryAnswer(TryResult.NOT_SENT, f"The host cannot be reached: {type(error).__name__}.")


def _answer(status: int, body: bytes) -> TryAnswer:
    said = " ".join(re.sub(r"[^\x20-\x7e]+", " ", body.decode(errors="replace")).split())[:_SHOWN]
    words = f"HTTP {status}" + (f": {said}" if said else "")
    if 200 <= status < 300:
        return TryAnswer(TryResult.SENT, words)
    is_later = status in (408, 425, 429) or status >= 500
    return TryAnswer(TryResult.NOT_SENT if is_later else TryResult.REFUSED, words)
