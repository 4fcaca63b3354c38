"""The bounded Daphne of `bounded_server`, and what a plain socket says to it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MB = 1024 * 1024
LIMIT_S = 30
ROOT = Path(__file__).resolve().parents[2]
LIMITS = {
    "body": 8 * MB, "header_s": 1, "body_s": 1, "body_rate": 20_000, "stall_s": 1,
    "streamed": "/through/", "streamed_body": 64 * MB,
}  # fmt: skip


@dataclass
class Served:
    """The server's process and how to reach it."""

    process: subprocess.Popen[bytes]
    port: int
    stderr: Path
    clients: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        client = socket.socket()
        self.clients.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.port))
        return client

    def peak(self) -> int:
        """The most memory the process has ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def log(self) -> dict[str, list[str]]:
        """Which paths the application was asked for, and how it ended."""
        return json.loads(ask(self.connect(), get("/log"))[1])

    def printed(self) -> str:
        return self.stderr.read_text()


@contextmanager
def serving(tmp_path: Path, **other_limits: int) -> Iterator[Served]:
    stderr = tmp_path / "stderr"
    with stderr.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard.bounded_server", json.dumps({**LIMITS, **other_limits})],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip
        served = Served(process, int(process.stdout.readline()), stderr)
        try:
            yield served
        finally:
            for client in served.clients:
                client.close()
            process.kill()
            process.wait()
            process.stdout.close()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def ask(client: socket.socket, data: bytes) -> tuple[int, bytes]:
    client.sendall(data)
    return answer(client)


def answer(client: socket.socket) -> tuple[int, bytes]:
    """The status and the body of a response with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += piece(client)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += piece(client)
    return int(head.split()[1]), body


def piece(client: socket.socket) -> bytes:
    data = client.recv(65536)
    if not data:
        raise ConnectionResetError("closed before the answer was complete")
    return data


def post(length: int, *more: str, path: str = "/size") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_cut_within(client: socket.socket, seconds: float) -> bool:
    """Whether the server ends the connection; what it still sent is read first."""
    client.settimeout(seconds)
    try:
        while client.recv(MB):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def wait_for_end(served: Served, wanted: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while wanted not in (ended := served.log()["ended"]):
        assert time.monotonic() < deadline, ended
        time.sleep(0.1)
