"""What fal lets a key do, asked with calls that start and change nothing.

fal has no call that lists a key's permissions: each is tried, and a refusal is told in fal's own words,
which name the missing permission.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from requests_app.fal import EndpointId, FalClient, FalError, Refused, Window, urls_for
from requests_app.fal.call import Call
from requests_app.fal.error_bodies import parse_error
from requests_app.fal.prices import PATH, price_params
from requests_app.keys.ring import Key
from requests_app.worker.fal_connections import hosts_from_settings

ENDPOINT = "fal-ai/flux/dev"  # where the key has no endpoint of its own
DEADLINE_S = 10.0
MOST_BYTES = 1024 * 1024
NOT_ALLOWED = (401, 403)


@dataclass(frozen=True)
class Finding:
    """One thing that a key may or may not do; `why` is a sentence, empty when it may."""

    what: str
    why: str = ""

    @property
    def is_fine(self) -> bool:
        return not self.why


def check(key: Key, pattern: str = "") -> list[Finding]:
    """Ask fal, at most for some seconds."""
    if key.problem:
        return [Finding("Use the key", key.problem)]
    named = pattern.rstrip("*/")
    endpoint = EndpointId.parse(named if "/" in named else ENDPOINT)
    return asyncio.run(_asked(key, endpoint))


async def _asked(key: Key, endpoint: EndpointId) -> list[Finding]:
    now = datetime.now(UTC)
    window = Window(endpoint, now - timedelta(minutes=1), now)
    async with FalClient(hosts_from_settings(), key.secret) as client:

        async def queue() -> None:
            # Of a request that does not exist: "not found" is as good as an answer.
            await client.status(urls_for(client.hosts, endpoint, str(uuid4())), logs=False)

        async def finished() -> None:
            async for _ in client.finished(window):
                return

        async def prices() -> None:
            call = Call("GET", client.hosts.api + PATH, {}, params=price_params(str(endpoint)))
            reply = await client.wire.exchange(call, deadline_s=DEADLINE_S, limit=MOST_BYTES)
            if reply.status_code in NOT_ALLOWED:
                parsed = parse_error(reply.status_code, {}, reply.body)
                raise Refused(parsed.detail or "", status_code=reply.status_code)

        calls = {
            "Submit and follow requests": queue,
            "Find lost requests in fal's list": finished,
            "Read prices": prices,
        }
        return await asyncio.gather(*(_tried(what, call) for what, call in calls.items()))


async def _tried(what: str, call: object) -> Finding:
    try:
        async with asyncio.timeout(DEADLINE_S):
            await call()  # type: ignore[operator]
    except Refused as error:
        return Finding(what, _in_words(error))
    except TimeoutError:
        return Finding(what, f"fal did not answer within {DEADLINE_S:g} s.")
    except FalError as error:
        return Finding(what, str(error))
    return Finding(what)


_SAID: Mapping[int, str] = {
    401: "fal does not know this key (401).",
    403: "The key lacks the permission (403).",
    402: "The account has no balance (402).",
}


def _in_words(error: Refused) -> str:
    """Say what is missing; any answer about the request itself shows that the key is good."""
    said = _SAID.get(error.status_code, "")
    words = error.detail if isinstance(error.detail, str) else ""
    told = words.strip() or str(error)
    return f"{said} fal says: {told[:200]}" if said else ""
