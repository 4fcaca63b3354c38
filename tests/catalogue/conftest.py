"""A server that hands out endpoint documents and keeps what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class DocumentServer:
    """Answers every GET with `status` and `body`, after `wait_s`."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.wait_s = 0.0
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                time.sleep(outer.wait_s)
                self.send_response(outer.status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(settings: Any) -> Iterator[DocumentServer]:
    made = DocumentServer()
    settings.FAL_OPENAPI_URL = f"{made.url}/openapi.json?endpoint_id={{endpoint_id}}"
    yield made
    made.close()
