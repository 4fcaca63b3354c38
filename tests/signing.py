"""fal's side of a webhook: keys, signatures, and the published key set on a real socket."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.jsonserver import JsonHandler, JsonServer

USER_ID = "user-of-ours"


class Signer:
    """One of fal's private keys."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()

    @property
    def jwk(self) -> dict[str, str]:
        raw = self.key.public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": x}

    def headers(
        self, request_id: str, body: bytes, *, user_id: str = USER_ID, timestamp: str | None = None
    ) -> dict[str, str]:
        timestamp = timestamp or str(int(datetime.now(UTC).timestamp()))
        digest = hashlib.sha256(body).hexdigest()
        message = "\n".join((request_id, user_id, timestamp, digest)).encode()
        return {
            "x-fal-webhook-request-id": request_id,
            "x-fal-webhook-user-id": user_id,
            "x-fal-webhook-timestamp": timestamp,
            "x-fal-webhook-signature": self.key.sign(message).hex(),
        }


def body_of(request_id: str, **members: Any) -> bytes:
    """A webhook's body; a success unless told otherwise."""
    report = {"request_id": request_id, "gateway_request_id": request_id, "status": "OK"}
    return json.dumps(report | {"payload": {"seed": 7}} | members).encode()


class KeyHost(JsonServer):
    """Serves the key set; counts how often it was asked; can be out of order."""

    def __init__(self, *signers: Signer) -> None:
        self.signers = list(signers)
        self.asked = 0
        self.is_down = False
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return f"{super().url}/jwks.json"

    def _handler(host) -> type[JsonHandler]:
        class Handler(JsonHandler):
            def do_GET(self) -> None:
                host.asked += 1
                keys = {"keys": [signer.jwk for signer in host.signers]}
                self.say(keys, 503 if host.is_down else 200)

        return Handler
