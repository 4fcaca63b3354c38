"""Short-lived JSON Web Tokens (HS256) for websockets, browser-side streams and the CDN."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

CDN = "cdn"
HEADER = b'{"alg":"HS256","typ":"JWT"}'


@dataclass(frozen=True)
class Claims:
    user_id: str
    apps: tuple[str, ...]
    """Aliases (old form) or full ids (new form); CDN or CDN/name for files."""
    expires_at: float

    @property
    def expired(self) -> bool:
        return time.time() >= self.expires_at

    @property
    def is_for_files(self) -> bool:
        return any(app == CDN or app.startswith(f"{CDN}/") for app in self.apps)


class Tokens:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, user_id: str, apps: Sequence[str], seconds: float) -> str:
        payload = {"sub": user_id, "apps": list(apps), "exp": time.time() + seconds}
        text = f"{_encode(HEADER)}.{_encode(json.dumps(payload).encode())}"
        return f"{text}.{_encode(self._sign(text))}"

    def read(self, token: str) -> Claims | None:
        """None unless we issued it. An expired one is read: the caller tells it apart."""
        text, _, signature = token.rpartition(".")
        expected = _encode(self._sign(text))
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            return None
        payload = json.loads(_decode(text.rpartition(".")[2]))
        return Claims(payload["sub"], tuple(payload["apps"]), payload["exp"])

    def _sign(self, text: str) -> bytes:
        return hmac.digest(self._secret, text.encode(), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
