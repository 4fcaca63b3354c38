"""Tells a caller's URL that a request has ended: signed, repeated until heard, never redirected."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from requests_app.faults.rules import Faults, Rule

from .config import Tuning
from .record import QueuedRequest
from .replies import to_json
from .store import Store

if TYPE_CHECKING:
    import httpx

MAX_ATTEMPTS = 31
MAX_GAP_S = 300.0
FIRST_TIMEOUT_S = 15.0
RETRY_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Message:
    """One POST: the header values as text and the very bytes that are signed."""

    request_id: str
    user_id: str
    timestamp: int
    body: bytes

    def signed_text(self) -> bytes:
        digest = hashlib.sha256(self.body).hexdigest()
        return f"{self.request_id}\n{self.user_id}\n{self.timestamp}\n{digest}".encode()


def body_of(request: QueuedRequest) -> bytes:
    """`payload` is the model's own answer, good or bad."""
    reply = request.reply
    if reply is None:
        raise ValueError("a webhook tells the end, and this request has none yet")
    payload = json.loads(reply.body)
    ids = {"request_id": request.id, "gateway_request_id": request.gateway_id}
    if reply.ok:
        return to_json({**ids, "status": "OK", "payload": payload})
    return to_json({**ids, "status": "ERROR", "error": request.error, "payload": payload})


class Webhooks:
    """One task per ended request that asked for a webhook."""

    def __init__(
        self, store: Store, tuning: Tuning, faults: Faults, trusted: Path | None = None
    ) -> None:
        self._trusted = trusted
        self._store, self._tuning, self._faults = store, tuning, faults
        seed = store.secret("webhook_key", Ed25519PrivateKey.generate().private_bytes_raw())
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def jwks(self) -> dict[str, object]:
        raw = self._key.public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x, "use": "sig", "alg": "EdDSA"}]}

    def announce(self, request: QueuedRequest) -> None:
        if not request.webhook_url or request.webhook_done:
            return
        task = asyncio.get_running_loop().create_task(self._announce(request, request.webhook_url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _announce(self, request: QueuedRequest, url: str) -> None:
        fault = self._faults.take("webhook", str(request.endpoint_id))
        if fault is not None and fault.do == "delay":
            await asyncio.sleep(fault.seconds)
        body = _spoilt_body(body_of(request), fault)
        if fault is None or fault.do != "lose":
            await self._deliver(request, url, body, fault)
        if fault is not None and fault.do == "repeat":
            await self._deliver(request, url, body, fault)
        # After the answer was seen: a kill before this line makes one delivery more, never one less.
        request.webhook_done = True
        self._store.save_request(request)

    async def _deliver(
        self, request: QueuedRequest, url: str, body: bytes, fault: Rule | None
    ) -> None:
        for attempt in range(MAX_ATTEMPTS):
            timeout_s = RETRY_TIMEOUT_S if attempt else FIRST_TIMEOUT_S
            if await self._post(url, _message(request, body, fault), timeout_s, fault):
                return
            gap_s = min(2.0**attempt, MAX_GAP_S) * self._tuning.webhook_scale
            if time.time() + gap_s > (request.ended_at or 0) + self._tuning.retention_s:
                return
            await asyncio.sleep(gap_s)

    async def _post(self, url: str, message: Message, timeout_s: float, fault: Rule | None) -> bool:
        """Whether that was the last attempt: heard (2xx) or refused for good (3xx)."""
        import httpx  # megabytes, and only needed with webhooks

        if self._client is None:
            trust = ssl.create_default_context(cafile=self._trusted) if self._trusted else True
            self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False, verify=trust)
        headers = self._headers(message, forged=fault is not None and fault.do == "bad_signature")
        try:
            reply = await self._client.post(
                url, content=message.body, headers=headers, timeout=timeout_s
            )
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return reply.status_code < 400

    def _headers(self, message: Message, *, forged: bool) -> dict[str, str]:
        key = Ed25519PrivateKey.generate() if forged else self._key
        return {
            "Content-Type": "application/json",
            "X-Fal-Webhook-Request-Id": message.request_id,
            "X-Fal-Webhook-User-Id": message.user_id,
            "X-Fal-Webhook-Timestamp": str(message.timestamp),
            "X-Fal-Webhook-Signature": key.sign(message.signed_text()).hex(),
        }


def _message(request: QueuedRequest, body: bytes, fault: Rule | None) -> Message:
    do = fault.do if fault else ""
    age_s = 3600 if do == "old_timestamp" else 0
    request_id = "00000000-0000-4000-8000-000000000000" if do == "other_request_id" else request.id
    return Message(request_id, request.user_id, int(time.time()) - age_s, body)


def _spoilt_body(body: bytes, fault: Rule | None) -> bytes:
    if fault is None or fault.do not in ("payload_null", "truncate_json"):
        return body
    if fault.do == "truncate_json":
        return body[: len(body) // 2]
    error = "Response payload is not JSON serializable. Either return a JSON serializable object"
    error += " or use the queue endpoint to retrieve the response."
    return to_json({**json.loads(body), "payload": None, "payload_error": error})
