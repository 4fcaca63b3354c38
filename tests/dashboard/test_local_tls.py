"""Certificates of `serve --tls`: real handshakes, and what is kept from start to start."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography import x509

from dashboard import local_tls


@pytest.fixture(autouse=True)
def _usual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())


def trusts(files: local_tls.LocalTls, name: str, trust: Path | None = None) -> bool:
    """Whether a client takes the server for `name`: a handshake in memory."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.server)
    client = ssl.create_default_context(cafile=trust or files.trust)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends: list[Any] = [
        client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)
    ]  # fmt: skip
    done: set[Any] = set()
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
                done.add(end)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    return len(done) == 2


@pytest.mark.slow
def test_clients_that_trust_the_file_take_the_server_under_each_of_its_names(
    tmp_path: Path,
) -> None:
    files = local_tls.ensure(tmp_path / "tls", ["faldeck.example", "10.1.2.3"])
    for name in ("localhost", "127.0.0.1", "::1", "faldeck.example", "10.1.2.3"):
        assert trusts(files, name), name
        assert trusts(files, name, files.authority), name
    assert not trusts(files, "other.example")
    assert not trusts(files, "localhost", Path(certifi.where()))


def test_only_the_owner_reads_them_and_a_second_start_changes_nothing(tmp_path: Path) -> None:
    files = local_tls.ensure(tmp_path / "tls", [])
    made = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert set(made) == {"authority.pem", "ca.pem", "trust.pem", "server.pem"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "tls").iterdir())
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    assert local_tls.ensure(tmp_path / "tls", []) == files
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == made
    for public in (files.authority, files.trust):
        assert b"PRIVATE" not in public.read_bytes()


def test_for_other_names_and_before_its_end_the_server_gets_another_and_the_authority_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = local_tls.ensure(tmp_path, []).server.read_bytes()
    authority = (tmp_path / "authority.pem").read_bytes()
    files = local_tls.ensure(tmp_path, ["faldeck.example"])
    second = files.server.read_bytes()
    assert second != first
    assert trusts(files, "faldeck.example")
    monkeypatch.setattr(local_tls, "RENEW_DAYS", local_tls.SERVER_DAYS + 1)
    assert local_tls.ensure(tmp_path, ["faldeck.example"]).server.read_bytes() != second
    assert (tmp_path / "authority.pem").read_bytes() == authority


def test_a_server_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    files = local_tls.ensure(tmp_path, [])
    (tmp_path / "authority.pem").unlink()
    local_tls.ensure(tmp_path, [])
    assert trusts(files, "localhost")


def test_a_program_that_trusts_the_file_still_trusts_the_usual_authorities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = local_tls.ensure(tmp_path / "tls", [])
    whole = files.trust.read_bytes()
    assert Path(certifi.where()).read_bytes() in whole
    monkeypatch.setenv("SSL_CERT_FILE", str(files.trust))  # started from a shell that has it set
    assert local_tls.ensure(tmp_path / "tls", []).trust.read_bytes() == whole
    other = tmp_path / "company.pem"
    other.write_bytes(local_tls.ensure(tmp_path / "company", []).authority.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    assert other.read_bytes() in local_tls.ensure(tmp_path / "tls", []).trust.read_bytes()


def test_the_authority_signs_servers_alone_and_browsers_take_their_duration(tmp_path: Path) -> None:
    files = local_tls.ensure(tmp_path, [])
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    assert (
        authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    )
    server = x509.load_pem_x509_certificate(files.server.read_bytes())
    assert server.not_valid_after_utc - server.not_valid_before_utc <= timedelta(days=398)
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_damaged_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("nothing")
    with pytest.raises(ValueError):
        local_tls.ensure(tmp_path, [])
