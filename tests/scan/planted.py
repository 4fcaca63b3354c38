"""A small server with one planted fault for each of Wapiti's modules; only a caller with its cookie gets beyond `/login`.

It is also the place that servers are led to which fetch foreign addresses (`/ssrf/…`).
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COOKIE = "planted=in"
USER, PASSWORD = "grace", "a long pass phrase"
PASSWD = "root:x:0:0:root:/root:/bin/bash\n"
SYNTAX = "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version"
# Module of Wapiti, and the category of its report in which the fault must be found.
FAULTS = {
    "xss": "Reflected Cross Site Scripting",
    "permanentxss": "Stored Cross Site Scripting",
    "sql": "SQL Injection",
    "timesql": "SQL Injection",
    "exec": "Command execution",
    "file": "Path Traversal",
    "crlf": "CRLF Injection",
    "redirect": "Open Redirect",
    "ssrf": "Server Side Request Forgery",
    "csrf": "Cross Site Request Forgery",
    "xxe": "XML External Entity",
    "cookieflags": "HttpOnly Flag cookie",
    "http_headers": "Clickjacking Protection",
    "csp": "Content Security Policy Configuration",
    "htaccess": "Htaccess Bypass",
    "backup": "Backup file",
    "methods": "HTTP Methods",
}
HOME = """<html><head><title>Planted</title></head><body>
<a href=/search?q=cat>xss</a> <a href=/item?id=1>sql</a> <a href=/slow?id=1>timesql</a>
<a href=/ping?host=a>exec</a> <a href=/file?name=a.txt>file</a> <a href=/header?to=a>crlf</a>
<a href=/out?url=/>redirect</a> <a href=/fetch?url=a>ssrf</a> <a href=/xml?data=a>xxe</a>
<a href=/private>htaccess</a> <a href=/config.php>backup</a> <a href=/guests>guests</a>
<form method=post action=/guests><input name=said><input type=submit></form></body></html>"""

LOGIN = """<html><body><form method=post action=/login><input name=login type=text>
<input name=password type=password><input type=submit></form></body></html>"""


class Planted(ThreadingHTTPServer):
    """The server, what its visitors wrote, and who came to where other servers are led."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said: list[str] = []
        # By the session of the scan that led them here, its request and the parameter.
        self.led: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = {}

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: Planted

    def do_GET(self) -> None:
        """Every page."""
        place = urlsplit(self.path)
        asked = {
            name: values[0]
            for name, values in parse_qs(place.query, keep_blank_values=True).items()
        }
        value = next(iter(asked.values()), "")
        if place.path.startswith("/ssrf/"):
            return self._led(place.path)
        if place.path.startswith("/get_"):
            found = self.server.led.get(asked.get("session_id", ""), {})
            return self._answer(
                json.dumps(found if "ssrf" in place.path else {}), kind="application/json"
            )
        if COOKIE not in self.headers.get("Cookie", "") and place.path != "/login":
            return self._answer("", 302, "Location: /login")
        page = PAGES.get(place.path)
        if page is None:
            return self._answer("not found", 404)
        return page(self, value)

    def do_POST(self) -> None:
        """The guests' book, which asks for no token, and the log-in."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(
            errors="replace"
        )
        form = parse_qs(body)
        if self.path != "/login":
            self.server.said += form.get("said", [])
            return self._answer("thanks")
        cookie = [f"Set-Cookie: {COOKIE}; path=/"] if form.get("password") == [PASSWORD] else []
        return self._answer("<a href=/logout>Log out</a>", 200, *cookie)

    def do_OPTIONS(self) -> None:
        """Says that files may be put."""
        self._answer("", 200, "Allow: GET, POST, PUT, DELETE")

    def do_ABC(self) -> None:
        """A method that nobody thought of goes past the check."""
        self._answer("secret")

    def log_message(self, *_: object) -> None:
        """Nothing is told."""

    def _led(self, path: str) -> None:
        _, _, session, request, parameter, *_ = path.split("/")
        visit = {
            "url": self.path,
            "date": datetime.now(UTC).isoformat(),
            "ip": "127.0.0.1",
            "method": "GET",
        }
        of_session = self.server.led.setdefault(session, {})
        of_session.setdefault(request, {}).setdefault(parameter, []).append(visit)
        self._answer("led here")

    def _answer(self, text: str, status: int = 200, *headers: str, kind: str = "text/html") -> None:
        body = text.encode(errors="replace")
        lines = [f"HTTP/1.0 {status} x", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        head = "\r\n".join([*lines, *headers, "", ""])
        self.wfile.write(head.encode(errors="replace") + body)

    def search(self, value: str) -> None:
        """Shows what was asked for as it came."""
        self._answer(f"<html><body>Found nothing for {value}</body></html>")

    def item(self, value: str) -> None:
        """Tells of the database when a quote is left open."""
        broken = value.count("'") % 2 or value.count('"') % 2
        self._answer(SYNTAX if broken else "an item")

    def slow(self, value: str) -> None:
        """Sleeps as long as it is told."""
        told = re.search(r"sleep\((\d+)\)", value)
        time.sleep(int(told[1]) + 1 if told else 0)
        self._answer("an item")

    def ping(self, value: str) -> None:
        """Runs what stands behind a semicolon."""
        self._answer("PATH=/usr/bin\nPWD=/" if ";env" in value else "pong")

    def file(self, value: str) -> None:
        """Reads any file."""
        self._answer(PASSWD if "etc/passwd" in unquote(value) else "a file")

    def xml(self, value: str) -> None:
        """Reads a file that the document names."""
        self._answer(PASSWD if "<!ENTITY" in value and "etc/passwd" in value else "a document")

    def header(self, value: str) -> None:
        """Writes the value into a header."""
        self._answer("written", 200, f"X-Said: {value}")

    def out(self, value: str) -> None:
        """Leads anywhere."""
        self._answer("", 302, f"Location: {value}")

    def fetch(self, value: str) -> None:
        """Fetches what it is told."""
        if value.startswith(f"{self.server.url}ssrf/"):
            urllib.request.urlopen(value, timeout=9).close()
        self._answer("fetched")

    def guests(self, _: str) -> None:
        """What visitors wrote, as it came."""
        self._answer(f"<html><body>{'<br>'.join(self.server.said)}</body></html>")

    def home(self, _: str) -> None:
        """Links to all faults."""
        self._answer(HOME)

    def login(self, _: str) -> None:
        """Asks for name and password."""
        self._answer(LOGIN)

    def plain(self, _: str) -> None:
        """A file with a copy beside it."""
        self._answer("a file")

    def private(self, _: str) -> None:
        """Refused, to this method."""
        self._answer("no", 401)


PAGES: dict[str, Callable[[Handler, str], None]] = {
    "/": Handler.home, "/login": Handler.login, "/search": Handler.search, "/item": Handler.item,
    "/slow": Handler.slow, "/ping": Handler.ping, "/file": Handler.file, "/xml": Handler.xml,
    "/header": Handler.header, "/out": Handler.out, "/fetch": Handler.fetch, "/guests": Handler.guests,
    "/private": Handler.private, "/config.php": Handler.plain, "/config.php.bak": Handler.plain,
}  # fmt: skip


@contextmanager
def planted() -> Iterator[Planted]:
    """The server, while it answers."""
    server = Planted()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
