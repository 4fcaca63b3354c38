from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from requests_app.fal import BadReply, FalError, NotSent, Refused, Unanswered, sessions
from requests_app.fal.realtime_handshake import open_socket

from .socket_peer import SocketPeer

LOOPBACK = IPv4Address("127.0.0.1")


@pytest.fixture
async def sockets() -> AsyncIterator[SocketPeer]:
    async with SocketPeer() as peer:
        yield peer


async def refusal(url: str, open_timeout_s: float = 30) -> FalError:
    with pytest.raises(FalError) as caught:
        await open_socket(f"{url}/a/b/realtime", {}, open_timeout_s=open_timeout_s, max_size=1000)
    return caught.value


@pytest.mark.parametrize(
    ("status", "words"), [(401, "not valid"), (403, "may not open"), (404, "no realtime endpoint")]
)
async def test_a_refused_handshake_says_why(sockets: SocketPeer, status: int, words: str) -> None:
    sockets.refusal = (status, {"Content-Type": "application/json"}, b'{"detail":"from fal"}')
    error = await refusal(sockets.url)
    assert isinstance(error, Refused)
    assert (error.status_code, error.detail, error.sent) == (status, "from fal", True)
    assert words in str(error)
    assert len(sockets.requests) == 1


async def test_a_redirect_is_never_followed(sockets: SocketPeer) -> None:
    sockets.refusal = (302, {"Location": f"{sockets.url}/elsewhere"}, b"")
    error = await refusal(sockets.url)
    assert isinstance(error, Unanswered)
    assert "never followed" in str(error)
    assert len(sockets.requests) == 1


async def test_a_gateways_page_is_unanswered(sockets: SocketPeer) -> None:
    sockets.refusal = (502, {}, b"<html>")
    error = await refusal(sockets.url)
    assert isinstance(error, Unanswered)
    assert (error.status_code, error.retryable) == (502, False)


@pytest.mark.parametrize(
    "headers",
    [{"X-Fal-Hints": "h" * 15_000}, {f"X-{number}": "1" for number in range(3000)}],
    ids=["one of 15 kB", "3,000"],
)
async def test_a_refusal_is_read_whatever_headers_fal_may_send(
    sockets: SocketPeer, headers: dict[str, str]
) -> None:
    sockets.refusal = (403, {"Content-Type": "application/json", **headers}, b'{"detail":"no"}')
    error = await refusal(sockets.url)
    assert isinstance(error, Refused)
    assert error.detail == "no"


async def test_a_refusal_may_be_as_large_as_any_other_reply(sockets: SocketPeer) -> None:
    sockets.refusal = (403, {}, b"<html>" + b" " * 2_000_000)
    assert isinstance(await refusal(sockets.url), Refused)


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "a" * 100_000}, {f"X-{number}": "1" for number in range(5000)}],
    ids=["one of 100 kB", "5,000"],
)
async def test_headers_over_every_limit_are_named(
    sockets: SocketPeer, headers: dict[str, str]
) -> None:
    sockets.refusal = (403, headers, b"")
    error = await refusal(sockets.url)
    assert isinstance(error, BadReply)
    assert "64 kB" in str(error)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1:9", "refused"),
        ("ws://no-such-host.invalid", "cannot be resolved"),
    ],
)
async def test_what_cannot_be_reached_is_not_sent(url: str, words: str) -> None:
    error = await refusal(url)
    assert isinstance(error, NotSent)
    assert words in str(error)


async def test_a_proxy_of_the_environment_is_passed_by(
    sockets: SocketPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    opened = await open_socket(f"{sockets.url}/a/b", {}, open_timeout_s=30, max_size=1000)
    await opened.close()
    assert len(sockets.requests) == 1


async def test_a_failed_tls_handshake_is_not_sent(sockets: SocketPeer) -> None:
    error = await refusal(sockets.url.replace("ws", "wss", 1))
    assert isinstance(error, NotSent)
    assert "secure" in str(error)
    assert sockets.requests == []


async def test_a_certificate_nobody_vouches_for_is_not_sent(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SocketPeer(tls=served(certificate)) as sockets:
        error = await refusal(sockets.url)
        assert isinstance(error, NotSent)
        assert "secure" in str(error)
        assert sockets.requests == []
        # The same one, trusted as the HTTP calls are told to trust.
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sessions.tls.cache_clear()
        opened = await open_socket(f"{sockets.url}/a/b", {}, open_timeout_s=30, max_size=1000)
        await opened.close()
    assert len(sockets.requests) == 1


def served(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])  # no WebSocket on the first
    return context


@pytest.fixture
def certificate(tmp_path: Path) -> Iterator[Path]:
    """A key and a certificate for 127.0.0.1 that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path / "peer.pem"
    path.write_bytes(secret + built.public_bytes(Encoding.PEM))
    sessions.tls.cache_clear()
    yield path
    sessions.tls.cache_clear()


async def test_a_host_that_takes_no_connection_in_time_is_not_sent() -> None:
    with contextlib.ExitStack() as held:
        full = held.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # fill its backlog: the next connection waits for ever
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = await refusal(f"ws://127.0.0.1:{full.getsockname()[1]}", open_timeout_s=0.2)
    assert isinstance(error, NotSent)
    assert "time ran out" in str(error)


async def test_a_peer_that_never_answers_the_handshake_is_unanswered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = await refusal(f"ws://127.0.0.1:{silent.getsockname()[1]}", open_timeout_s=0.2)
    assert isinstance(error, Unanswered)
    assert (error.retryable, "in time" in str(error)) == (False, True)


@pytest.mark.parametrize("answer", [b"", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 101\r\n\r\n"])
async def test_what_is_no_websocket_is_unanswered(answer: bytes) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        error = await refusal(address_of(server))
    assert isinstance(error, Unanswered)
    assert "no WebSocket" in str(error)


def address_of(server: asyncio.Server) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
