"""The policy of what is no page of ours: it runs nothing, loads nothing, and has no origin."""

from __future__ import annotations

from typing import Any

INERT_POLICY = "sandbox; default-src 'none'"
_NAME = b"content-security-policy"


def inert_replies(application: Any) -> Any:
    """Return the application with this policy on all its replies: what fal says is never a page of this site."""

    async def inert(scope: Any, receive: Any, send: Any) -> None:
        async def send_inert(event: Any) -> None:
            if event["type"] == "http.response.start":
                kept = [pair for pair in event.get("headers", ()) if pair[0].lower() != _NAME]
                event = {**event, "headers": [*kept, (_NAME, INERT_POLICY.encode())]}
            await send(event)

        await application(scope, receive, send_inert)

    return inert
