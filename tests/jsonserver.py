"""What the small servers of tests have in common: they answer in JSON and print nothing."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
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
