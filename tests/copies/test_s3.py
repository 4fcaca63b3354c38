"""The store in a bucket, against a small peer that speaks S3: put, ranges, removal, and a store that is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from requests_app.copies.s3 import S3Store
from requests_app.copies.store import MissingFile, StoreProblem


class FakeBucket(BaseHTTPRequestHandler):
    """Objects in memory; asks for a signature, and checks no more of it than its key."""

    objects: dict[str, bytes]
    status = 200

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            body = _unchunked(body)
        self.objects[self.path] = body
        self._answer(self.status, b"", ETag='"x"')

    def do_GET(self) -> None:
        body = self.objects.get(self.path)
        if body is None or self.status != 200:
            code = "NoSuchKey" if body is None else "InternalError"
            status = 404 if body is None else self.status
            self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())
            return
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        self._answer(206, body[int(first) : int(last) + 1], ETag='"x"')

    def do_DELETE(self) -> None:
        self.objects.pop(self.path, None)
        self._answer(204 if self.status == 200 else self.status, b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        if "Credential=the-key/" not in self.headers.get("Authorization", ""):
            status = 403
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        head, _, rest = body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        whole, body = whole + rest[:size], rest[size + 2 :]
    return whole


@pytest.fixture
def bucket() -> Iterator[type[FakeBucket]]:
    """A peer of its own, on this machine."""
    handler = type("OneBucket", (FakeBucket,), {"objects": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.url = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture
def store(bucket: Any) -> S3Store:
    from botocore.config import Config

    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return S3Store(
        bucket_name="copies", endpoint_url=bucket.url, access_key="the-key", region_name="eu",
        secret_key="the-secret", client_config=config,
    )  # fmt: skip


@pytest.mark.slow
def test_a_file_goes_into_the_bucket_and_comes_back_in_ranges(
    store: S3Store, bucket: Any, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    store.put("1/ab/cat", tmp_path / "a")
    assert bucket.objects == {"/copies/1/ab/cat": b"0123456789"}
    source = store.opened_at("1/ab/cat", 2, 5)
    assert (source.read(2), source.read(9)) == (b"23", b"45")
    source.close()
    store.remove("1/ab/cat")
    store.remove("1/ab/cat")
    with pytest.raises(MissingFile):
        store.opened_at("1/ab/cat", 0, 1)


@pytest.mark.slow
def test_a_store_that_is_away_says_so_without_its_address(
    store: S3Store, bucket: Any, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    store.put("1/ab/cat", tmp_path / "a")
    bucket.status = 503
    for act in (
        lambda: store.put("1/ab/dog", tmp_path / "a"),
        lambda: store.opened_at("1/ab/cat", 0, 1),
        lambda: store.remove("1/ab/cat"),
    ):
        with pytest.raises(StoreProblem) as problem:
            act()
        assert not isinstance(problem.value, MissingFile)
        assert "127.0.0.1" not in str(problem.value)
