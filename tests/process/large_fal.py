"""A fal with results, logs and webhooks of any size, as the input wishes; every request is finished.

`{"mb": 128}`: a result of that size; `{"declared": false}`: whose length is not told beforehand;
`{"lines": 20000}`: a log of that length; `{"waits": true}`: it stays in the queue.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.jsonserver import JsonHandler, JsonServer
from tests.signing import Signer

MB = 1024 * 1024
BLOCK = hashlib.sha256(b"block").hexdigest().encode() * (MB // 64)


def result_of(megabytes: int) -> Iterator[bytes]:
    """JSON of a little over that size, in pieces that all differ."""
    yield b'{"text": "'
    for number in range(megabytes):
        yield b"%08d" % number + BLOCK[8:]
    yield b'"}'


def digest_of(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def log_of(lines: int) -> list[dict[str, str]]:
    """The ledger: what must be found again, each line once and in this order."""
    return [
        {"timestamp": f"2026-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.{n:06}",
         "level": "INFO", "source": "USER", "message": f"line {n}: a step was taken"}
        for n in range(lines)
    ]  # fmt: skip


class LargeFal(JsonServer):
    """On a port of its own; `hooks` has the webhook address of each of our requests."""

    def __init__(self) -> None:
        self.signer = Signer()
        self.wishes: list[dict[str, Any]] = []
        self.hooks: dict[str, tuple[str, str]] = {}  # public id -> address, fal's request id
        super().__init__(Handler)

    def take(self, wish: dict[str, Any], hook: str) -> dict[str, Any]:
        self.wishes.append(wish)
        request_id = f"r{len(self.wishes) - 1}"
        self.hooks[hook.split("/")[-2]] = hook, request_id
        base = f"{self.url}/acme/img/requests/{request_id}"
        return {
            "request_id": request_id, "status": "IN_QUEUE", "queue_position": 0,
            "status_url": f"{base}/status", "response_url": base, "cancel_url": f"{base}/cancel",
        }  # fmt: skip

    def status(self, wish: dict[str, Any]) -> dict[str, Any]:
        if wish.get("waits"):
            return {"status": "IN_QUEUE", "queue_position": 1}
        return {"status": "COMPLETED", "logs": log_of(wish.get("lines", 0)), "metrics": {}}


class Handler(JsonHandler):
    """Speaks for the fal of its server."""

    protocol_version = "HTTP/1.1"

    @property
    def fal(self) -> LargeFal:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_POST(self) -> None:
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        hook = parse_qs(urlsplit(self.path).query).get("fal_webhook", ["//"])[0]
        self.say(self.fal.take(wish, hook))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/jwks.json":
            self.say({"keys": [self.fal.signer.jwk]})
            return
        wish = self.fal.wishes[int(path.split("/requests/r")[1].partition("/")[0])]
        if path.endswith("/status"):
            self.say(self.fal.status(wish))
        else:
            self._stream(wish.get("mb", 0), declared=wish.get("declared", True))

    def _stream(self, megabytes: int, *, declared: bool) -> None:
        self.close_connection = True
        size = sum(map(len, result_of(megabytes))) if declared else 0
        self.begin(200, ("Content-Length", str(size)) if declared else ("Connection", "close"))
        with suppress(ConnectionError):
            for piece in result_of(megabytes):
                self.wfile.write(piece)
