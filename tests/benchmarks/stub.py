"""The quickest fal there can be: takes every submit, says IN_QUEUE to every poll, sends nothing.

`python -m tests.benchmarks.stub PORT JWK_X DELAY_S`; a process of its own, so that it takes no time from ours.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
from aiohttp import web
from aiohttp.typedefs import Handler

from tests.ports import free_port
from tests.process.serving import ROOT
from tests.signing import Signer


@contextmanager
def running(signer: Signer, *, port: int | None = None, delay_s: float = 0) -> Iterator[str]:
    """The stub's address, while it runs; its key set has the signer's key. A submit's answer takes `delay_s`."""
    port = port or free_port()
    module = [sys.executable, "-m", "tests.benchmarks.stub"]
    process = subprocess.Popen([*module, str(port), signer.jwk["x"], str(delay_s)], cwd=ROOT)
    try:
        _wait(f"http://127.0.0.1:{port}/jwks.json")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(url)


class Stub:
    """Remembers where each request's webhook should go."""

    def __init__(self, jwk_x: str, delay_s: float) -> None:
        self.delay_s = delay_s
        self.keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": jwk_x}]}
        self.webhooks: dict[str, str] = {}
        self.taken: dict[str, float] = {}  # when, by time.monotonic(), by the webhook's address
        self.ends: dict[str, float] = {}  # request ids that end, and when by the wall clock
        self.is_away = False
        self.refused: dict[str, int] = {}  # calls while it was away, by method

    async def key_set(self, request: web.Request) -> web.Response:
        return web.json_response(self.keys)

    async def seen(self, request: web.Request) -> web.Response:
        return web.json_response(self.webhooks)

    async def when_taken(self, request: web.Request) -> web.Response:
        return web.json_response(self.taken)

    async def away(self, request: web.Request) -> web.Response:
        self.is_away = request.query["is"] == "1"
        return web.Response()

    async def calls_refused(self, request: web.Request) -> web.Response:
        return web.json_response(self.refused)

    @web.middleware
    async def door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """503 for every call to the queue while it is away."""
        if not (self.is_away and request.path.startswith("/queue/")):
            return await handler(request)
        self.refused[request.method] = self.refused.get(request.method, 0) + 1
        return web.Response(status=503, text="<html>Service Unavailable</html>")

    async def submit(self, request: web.Request) -> web.Response:
        request_id = str(uuid4())
        self.webhooks[request_id] = hook = request.query.get("fal_webhook", "")
        self.taken[hook] = time.monotonic()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        base = f"{request.url.origin()}{request.path}/requests/{request_id}"
        urls = {
            "status_url": f"{base}/status",
            "response_url": base,
            "cancel_url": f"{base}/cancel",
        }
        body = {"request_id": request_id, "status": "IN_QUEUE", "queue_position": 3, **urls}
        return web.json_response(body)

    async def set_ends(self, request: web.Request) -> web.Response:
        self.ends |= await request.json()
        return web.Response()

    async def status(self, request: web.Request) -> web.Response:
        ends_at = self.ends.get(request.path.rsplit("/", 2)[-2]) if self.ends else None
        if ends_at is not None:
            is_over = time.time() >= ends_at
            return web.json_response({"status": "COMPLETED" if is_over else "IN_PROGRESS"})
        return web.json_response({"status": "IN_QUEUE", "queue_position": 3}, status=202)

    async def result(self, request: web.Request) -> web.Response:
        return web.json_response({"text": "done"})


def main() -> None:
    """Serve until killed."""
    stub = Stub(sys.argv[2], float(sys.argv[3]))
    app = web.Application(middlewares=[stub.door], client_max_size=2**26)
    app.router.add_post("/away", stub.away)
    app.router.add_get("/refused", stub.calls_refused)
    app.router.add_get("/jwks.json", stub.key_set)
    app.router.add_get("/taken", stub.when_taken)
    app.router.add_get("/seen", stub.seen)
    app.router.add_post("/queue/{path:.*}", stub.submit)
    app.router.add_get("/queue/{path:.*}/status", stub.status)
    app.router.add_get("/queue/{path:.*}", stub.result)
    app.router.add_post("/run/{path:.*}", stub.result)
    app.router.add_post("/ends", stub.set_ends)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
