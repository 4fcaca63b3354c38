"""A proxy that plays the host behind it, by TLS, with a certificate of the test's own authority."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class TlsProxy:
    """Answers every request of one host with a status and a body, and keeps what it got."""

    def __init__(self, folder: Path, host: str, status: int, body: bytes) -> None:
        self._reply = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body  # fmt: skip
        self.requests: list[bytes] = []
        self.ca = folder / "ca.pem"
        _write_certificate(self.ca, host)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.ca)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[line], daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line:
            _until(line, b"\r\n\r\n")
            line.sendall(b"HTTP/1.1 200 ok\r\n\r\n")
            with self._context.wrap_socket(line, server_side=True) as inner:
                head, _, body = _until(inner, b"\r\n\r\n").partition(b"\r\n\r\n")
                length = next((int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length")), 0)  # fmt: skip
                while len(body) < length:
                    body += inner.recv(65536)
                self.requests.append(head + b"\r\n\r\n" + body)
                inner.sendall(self._reply)

    def __enter__(self) -> TlsProxy:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._listener.close()


def _until(line: socket.socket, end: bytes) -> bytes:
    got = b""
    while end not in got and (part := line.recv(65536)):
        got += part
    return got


def _write_certificate(place: Path, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    )
    made = made.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    made = made.not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = made.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    place.write_bytes(private + signed.public_bytes(pem))
