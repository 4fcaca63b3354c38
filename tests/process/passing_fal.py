"""A fal that keeps nothing of what it takes and makes what it gives on the way, as slowly as the test says.

`taken`: reads the body and answers with its digest; `made`: a result of `megabytes`; `…/stream`: events without an end.
"""

from __future__ import annotations

import hashlib
import threading

from tests.jsonserver import JsonHandler, JsonServer
from tests.process.large_fal import MB, result_of

EVENT = b'data: {"output": "%08d' + b"x" * 1000 + b'", "partial": true}\n\n'
PATIENCE_S = 120


class PassingFal(JsonServer):
    """On a port of its own. It stops after `pauses_after` megabytes of a body or a result until `go` is set."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes
        self.pauses_after = 4
        self.go = threading.Event()
        self.paused = threading.Event()
        self.is_length_told = True
        self.calls: list[str] = []
        self.left: list[str] = []  # the calls on which we hung up
        super().__init__(Handler)

    def close(self) -> None:
        self.go.set()
        super().close()

    def pause(self, megabytes: int) -> None:
        """Wait for `go` when so much has passed."""
        if megabytes == self.pauses_after:
            self.paused.set()
            assert self.go.wait(PATIENCE_S)


class Handler(JsonHandler):
    """Speaks for the fal of its server."""

    protocol_version = "HTTP/1.1"

    @property
    def fal(self) -> PassingFal:
        return self.server.owner  # type: ignore[attr-defined,no-any-return]

    def do_GET(self) -> None:
        self.say({"keys": []} if self.path == "/jwks.json" else {"detail": "not found"})

    def do_POST(self) -> None:
        self.fal.calls.append(self.path)
        self.close_connection = True
        try:
            digest = self._digest()
            if self.path.endswith("/taken"):
                self.say({"sha256": digest})
            elif self.path.endswith("/stream"):
                self._events()
            else:
                self._result()
        except ConnectionError:
            self.fal.left.append(self.path)

    def _digest(self) -> str:
        digest, left, number = hashlib.sha256(), int(self.headers["Content-Length"]), 0
        while left:
            piece = self.rfile.read(min(left, MB))
            if not piece:
                raise ConnectionError("hung up in mid-body")
            digest.update(piece)
            left, number = left - len(piece), number + 1
            self.fal.pause(number)
        return digest.hexdigest()

    def _result(self) -> None:
        size = sum(map(len, result_of(self.fal.megabytes)))
        told = ("Content-Length", str(size)) if self.fal.is_length_told else ("Connection", "close")
        self.begin(200, told)
        for number, piece in enumerate(result_of(self.fal.megabytes)):
            self.wfile.write(piece)
            self.fal.pause(number)

    def _events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        number = 0
        while True:
            number += 1
            self.wfile.write(EVENT % number)
