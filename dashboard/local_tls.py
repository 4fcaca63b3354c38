"""Certificates for `serve --tls`: an authority of this installation alone, and what it signs for the server.

The folder has::

    authority.pem  the authority's key and certificate; made once
    ca.pem         its certificate: what browsers import and Node.js adds
    trust.pem      that and the usual authorities: `SSL_CERT_FILE` replaces all others
    server.pem     the server's key and certificate; made anew for other names and before it ends
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # browsers refuse longer ones
RENEW_DAYS = 30  # before its end, at a start
_ALWAYS = ("localhost", "127.0.0.1", "::1")
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class LocalTls:
    """Where the files are."""

    authority: Path
    trust: Path
    server: Path


@dataclass(frozen=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def pem(self) -> bytes:
        private = self.key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + self.certificate.public_bytes(_PEM)


def ensure(folder: Path, names: Iterable[str]) -> LocalTls:
    """Return certificates for this machine's own names and these; makes what is missing.

    Raises OSError, and ValueError for a file that is damaged.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = LocalTls(folder / "ca.pem", folder / "trust.pem", folder / "server.pem")
    authority = _kept_authority(folder / "authority.pem")
    own = authority.certificate.public_bytes(_PEM)
    _write(files.authority, own)
    _write(files.trust, _usual_authorities(files.trust) + b"\n" + own)
    wanted = sorted({*_ALWAYS, *names})
    if not _still_fits(files.server, authority, wanted):
        _write(files.server, _signed(authority, wanted).pem())
    return files


def _kept_authority(path: Path) -> _Pair:
    if not path.exists():
        draft = _draft(path, _new_authority().pem())
        try:
            os.link(draft, path)  # of two that start together, both use the first
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> _Pair:
    text = path.read_bytes()
    key = serialization.load_pem_private_key(text, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds a key of another kind.")
    return _Pair(key, x509.load_pem_x509_certificate(text))


def _new_authority() -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    number = x509.random_serial_number()
    # Each installation's has a name of its own: a browser lists them by it.
    name = _name(f"Faldeck on this machine {number % 16**8:08x}")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _builder(name, name, key, number, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Pair(key, certificate)


def _signed(authority: _Pair, names: list[str]) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    public = authority.key.public_key()
    certificate = (
        _builder(
            _name("Faldeck"), authority.certificate.subject, key, x509.random_serial_number(), SERVER_DAYS
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(authority.key, hashes.SHA256())
    )  # fmt: skip
    return _Pair(key, certificate)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, number: int, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), number)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _still_fits(path: Path, authority: _Pair, names: list[str]) -> bool:
    """Whether the server's certificate is the authority's, for exactly these names, and lasts."""
    try:
        certificate = _read(path).certificate
        certificate.verify_directly_issued_by(authority.certificate)
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lasts = certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=RENEW_DAYS)
    return lasts and list(found) == list(map(_general, names))


def _usual_authorities(ours: Path) -> bytes:
    """Those that are trusted here already; the variable may name our own file by now."""
    named = ssl.get_default_verify_paths().cafile  # the variable's file, else the system's
    is_other = named and Path(named).resolve() != ours.resolve()
    return Path(named if named and is_other else certifi.where()).read_bytes()


def _draft(path: Path, data: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return Path(name)


def _write(path: Path, data: bytes) -> None:
    """Put it there whole; a program that reads it meanwhile has the old one or the new one."""
    if not path.exists() or path.read_bytes() != data:
        _draft(path, data).replace(path)
