"""A mail server on a real socket that answers as the test tells it."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType


class SmtpPeer:
    """`answers`: to a verb (or "." after the text) another reply than the usual one; "" hangs up."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.mails: list[str] = []
        peer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                peer.talk(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def talk(self, line: socketserver.StreamRequestHandler) -> None:
        """Hold one conversation."""
        self._say(line, "220 peer")
        while raw := line.rfile.readline():
            verb = raw.decode().split(maxsplit=1)[0].upper() if raw.strip() else ""
            if not self._say(line, self.answers.get(verb, self._usual(verb))) or verb == "QUIT":
                return
            if verb == "DATA" and "DATA" not in self.answers:
                text = b""
                while (part := line.rfile.readline()) not in (b".\r\n", b""):
                    text += part
                self.mails.append(text.decode())
                if not self._say(line, self.answers.get("end", "250 kept")):
                    return

    def _usual(self, verb: str) -> str:
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")

    def _say(self, line: socketserver.StreamRequestHandler, words: str) -> bool:
        if words:
            line.wfile.write(f"{words}\r\n".encode())
        return bool(words)

    def __enter__(self) -> SmtpPeer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
