"""One POST to an address that a user named: public hosts alone, and no redirect is followed.

The name is resolved once, and the connection goes to an address that was judged (`public_addresses`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import aiohttp

from .public_addresses import PublicResolver, guarded_session


class PostFate(StrEnum):
    """What became of a POST without an answer."""

    REFUSED = "refused"  # by us: another try cannot help
    NOT_SENT = "not sent"  # certainly
    UNKNOWN = "unknown"  # it may have arrived


class NotPosted(Exception):
    """There is no answer. The message is a sentence for users, without the address."""

    def __init__(self, sentence: str, fate: PostFate) -> None:
        super().__init__(sentence)
        self.fate = fate


@dataclass(frozen=True)
class Posted:
    """An answer: its status, the beginning of its body, and its Retry-After."""

    status: int
    body: bytes
    retry_after: str


@dataclass(frozen=True)
class OutgoingPost:
    """A POST. `named` hosts may have private addresses and speak plain http: `setting` names them."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    named: Collection[str]
    setting: str
    deadline_s: float
    most: int  # bytes that are read of the answer


def why_refused(url: str, named: Collection[str], setting: str) -> str:
    """Why no POST to the address can ever go out, as a sentence; empty when its host has to be asked for."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host.lower() not in map(str.lower, named):
        return "The address has to begin with https://."
    try:
        PublicResolver(named).ensure_allowed(host)
    except OSError:
        return _private(setting)
    return ""


def _private(setting: str) -> str:
    return f"The host has a private address. The operator can allow it by {setting}."


async def post_guarded(post: OutgoingPost) -> Posted:
    """Send it once. Raises NotPosted."""
    if why := why_refused(post.url, post.named, post.setting):
        raise NotPosted(why, PostFate.REFUSED)
    resolver = PublicResolver(post.named)
    has_left = False
    try:
        async with asyncio.timeout(post.deadline_s), guarded_session(resolver) as session:
            call = session.post(
                post.url, data=post.body, headers=post.headers, allow_redirects=False
            )
            has_left = True
            async with call as reply:
                said = await reply.content.read(post.most)
                return Posted(reply.status, said, reply.headers.get("Retry-After", ""))
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
        raise _not_sent(post, resolver, error) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # also the deadline
        if resolver.has_refused or not has_left:
            raise _not_sent(post, resolver, error) from None
        sentence = f"The host did not answer: {type(error).__name__}."
        raise NotPosted(sentence, PostFate.UNKNOWN) from None


def _not_sent(post: OutgoingPost, resolver: PublicResolver, error: Exception) -> NotPosted:
    if resolver.has_refused:
        return NotPosted(_private(post.setting), PostFate.REFUSED)
    return NotPosted(f"The host cannot be reached: {type(error).__name__}.", PostFate.NOT_SENT)
