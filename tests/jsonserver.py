"""What the small servers of tests have in common: they answer in JSON and print nothing."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class JsonHandler(BaseHTTPRequestHandler):
    """Answer with `say`, or with `begin` and pieces of one's own."""

    def say(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.begin(status, ("Content-Length", str(len(body))))
        self.wfile.write(body)

    def begin(self, status: int, framing: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header(*framing)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class JsonServer:
    """What a handler answers, on a port of its own and in threads of its own, until `close`.

    The handler finds this object as `self.server.owner`.
    """

    def __init__(self, handler: type[JsonHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.owner = self  # type: ignore[attr-defined]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
