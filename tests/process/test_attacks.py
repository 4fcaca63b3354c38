"""A real `manage.py serve` under callers that mean harm: each is answered or cut, the others are served meanwhile."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = pytest.mark.process

MB = 1024 * 1024
PATIENCE_S = 240.0
API, REPORTS, LOGIN = "/api/v1/requests/", "/policy-reports/", "/accounts/login/"
HOOK = "/hooks/fal/0f3a9c21-0000-4000-8000-000000000001/secret"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(tmp_path_factory.mktemp("attacked"), SANDBOX_PORT=str(free_port())) as serving:
        yield serving


@pytest.fixture(scope="module")
def token(serving: Serving) -> str:
    serving.manage(
        "createsuperuser", "--noinput", "--username", "grace", "--email", "g@example.org",
        DJANGO_SUPERUSER_PASSWORD="a long pass phrase",
    )  # fmt: skip
    serving.manage("create_team", "Navy", "--owner", "grace")
    return serving.manage("create_token", "--user=grace", "--team=Navy")


def connect(serving: Serving) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", serving.port), PATIENCE_S)
    client.settimeout(PATIENCE_S)
    return client


def said(client: socket.socket) -> list[int]:
    """The status of each answer until the connection ends; a reset is an end too."""
    heard = b""
    try:
        while piece := client.recv(65536):
            heard += piece
    except ConnectionError:
        pass
    client.close()
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", heard)]


def ask(serving: Serving, raw: bytes, *, hangs_up: bool = True) -> list[int]:
    """Send it; `hangs_up`: and nothing more, for which the server would wait, but need not answer then."""
    client = connect(serving)
    try:
        client.sendall(raw)
        if hangs_up:
            client.shutdown(socket.SHUT_WR)
    except OSError:  # refused while it was sent
        pass
    return said(client)


def resident(serving: Serving) -> int:
    assert serving.process
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def head(path: str, *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def garbage() -> dict[str, bytes]:
    """What is no HTTP, or nearly: it may be answered with 4xx alone, or not at all."""
    noise = random.Random(7).randbytes(100_000)
    chunked = "Transfer-Encoding: chunked"
    return {
        "noise": noise,
        "noise behind a call": head("/healthz") + noise,
        "lines without an end": b"GET " * 200_000,
        "a huge header": head("/healthz", f"X-Big: {'a' * 500_000}"),
        "thousands of headers": head("/healthz", *(f"X-{n}: 1" for n in range(20_000))),
        "a path of a megabyte": head("/" + "a" * MB),
        "two lengths": head(LOGIN, "Content-Length: 5", "Content-Length: 50", method="POST") + b"a" * 50,
        "a length and chunks": head(LOGIN, "Content-Length: 5", chunked, method="POST") + b"0\r\n\r\nGET /x",
        "a negative length": head(LOGIN, "Content-Length: -5", method="POST"),
        "a length beyond all": head(LOGIN, f"Content-Length: {10**30}", method="POST"),
        "chunks of no size": head(REPORTS, chunked, method="POST") + b"zz\r\nabc\r\n",
        "a chunk beyond all": head(REPORTS, chunked, method="POST") + b"ffffffffffffffff\r\nabc\r\n",
        "folded headers": head("/healthz", "X-A: 1", " folded", "\tmore"),
        "a header without a name": head("/healthz", ": x", "=: y", "\x00: z"),
        "another version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        "another protocol": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise[:500],
        "a proxy's line": head("http://169.254.169.254/latest", "Connection: close"),
        "a tunnel": head("10.0.0.1:22", "Connection: close", method="CONNECT"),
        "a trace": head("/healthz", "Connection: close", method="TRACE"),
        "another host": b"GET /accounts/login/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    }  # fmt: skip


def bodies() -> dict[str, tuple[str, bytes]]:
    """Bodies that cost more to read than to send, with their type."""
    keys = json.dumps({f"k{n}": n for n in range(100_000)})
    program = "application/json"
    return {
        "ten megabytes": (program, b'{"endpoint_id": "a/b", "input": {"x": "' + b"a" * 10 * MB + b'"}}'),
        "ten thousand deep": (program, b"[" * 10_000 + b"]" * 10_000),
        "deep in an input": (program, b'{"input": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
        "a hundred thousand keys": (program, keys.encode()),
        "keys of an input": (program, f'{{"endpoint_id": "a/b", "input": {keys}}}'.encode()[:-2]),
        "a number of a million digits": (program, b'{"n": ' + b"9" * MB + b"}"),
        "half characters": (program, b'{"endpoint_id": "\\ud800", "input": {"\\udfff": "\\u0000"}}'),
        "not a number": (program, b'{"endpoint_id": NaN, "input": Infinity}'),
        "no text": (program, b"\xff\xfe" * 1000),
        "a form of many fields": ("application/x-www-form-urlencoded", b"a=1&" * 100_000),
        "many parts": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 20_000),
        "parts without an end": ("multipart/form-data; boundary=x", b"--x\r\n" + b"a" * MB),
        "many reports": ("application/csp-report", b'{"csp-report": ' + b"[" * 10_000),
    }  # fmt: skip


def attack_once(serving: Serving, token: str) -> None:
    for name, raw in garbage().items():
        codes = ask(serving, raw)
        first = [200] if name == "noise behind a call" else []
        assert all(400 <= code < 500 for code in codes[len(first) :] or [400]), (name, codes)
    cookies = "; ".join(f"c{n}={'v' * 8}" for n in range(3000))
    crumbs = head("/requests/", f"Cookie: {cookies}", "Connection: close")
    codes = ask(serving, crumbs, hangs_up=False)
    assert codes and codes[0] in (302, 400, 431), codes
    with httpx.Client(base_url=serving.url, timeout=PATIENCE_S) as client:
        for name, (kind, body) in bodies().items():
            for path in (API, HOOK, REPORTS, LOGIN):
                headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
                code = client.post(path, content=body, headers=headers).status_code
                is_taken = (name, path, code) == (
                    "ten megabytes",
                    API,
                    201,
                )  # an input like any other
                assert is_taken or 400 <= code < 500, (name, path, code)
        assert client.get("/healthz").status_code == 200


@pytest.mark.long
def test_what_is_no_honest_call_is_refused_and_the_memory_does_not_keep_growing(
    serving: Serving, token: str
) -> None:
    for _ in range(2):
        attack_once(serving, token)
    before = resident(serving)
    for _ in range(2):
        attack_once(serving, token)
    assert resident(serving) - before < 100 * MB
    log = serving.log.read_text()  # a traceback for each would fill disks
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


@pytest.mark.long
def test_who_sends_in_drips_is_cut_and_the_others_are_served_meanwhile(serving: Serving) -> None:
    slow_heads = [connect(serving) for _ in range(60)]
    slow_bodies = [connect(serving) for _ in range(40)]
    for client in slow_heads:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
    for client in slow_bodies:
        client.sendall(head(LOGIN, "Content-Length: 1000000", method="POST"))
    waiting = {*slow_heads, *slow_bodies}
    end = time.monotonic() + PATIENCE_S
    with httpx.Client(base_url=serving.url, timeout=PATIENCE_S) as honest:
        while waiting and time.monotonic() < end:
            assert honest.get("/healthz").status_code == 200
            assert honest.get(LOGIN).status_code == 200
            for client in list(waiting):
                try:
                    client.sendall(b"a")
                except OSError:  # cut
                    waiting.discard(client)
            time.sleep(0.5)
    assert not waiting
    codes = [code for client in (*slow_heads, *slow_bodies) for code in said(client)]
    assert set(codes) <= {408}
