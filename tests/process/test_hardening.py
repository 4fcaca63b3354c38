"""What deploy/ may do is as little as it needs; nginx, systemd and Compose's own schema judge the files."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.process.serving import Serving
from tests.process.test_deployment import UNITS, compose
from tests.source import ROOT, kept_files, text_of

SERVICES = compose()["services"]


def run(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, check=False, **more
    )  # fmt: skip


# --- Compose ----------------------------------------------------------------------------------------


def test_the_compose_file_fits_composes_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    judged = run(*check, ROOT / "deploy/docker-compose.yml")
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_as_little_as_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].partition(":")[0]) > 0
    assert service["pids_limit"]
    assert not [volume for volume in service.get("volumes", []) if "docker.sock" in volume]
    if name != "migrate":
        assert service["healthcheck"]["timeout"]
        assert service["restart"] == "unless-stopped"


def test_databases_reach_nothing_outside_and_the_proxy_reaches_no_database() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]
    assert SERVICES["proxy"]["networks"] == ["outside"]


def test_every_secret_is_made_for_the_user_who_reads_it(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files to others")
    shutil.copy(ROOT / "deploy/secrets.sh", tmp_path)
    script, key = tmp_path / "secrets.sh", {**os.environ, "FAL_KEY": "id:s3cret"}
    for _ in range(2):
        made = run("sh", script, "faldeck.example", env=key)
        assert made.returncode == 0, made.stderr
        assert "s3cret" not in made.stdout
    found = {path.name: path for path in (tmp_path / "secrets").iterdir()}
    assert set(found) == set(compose()["secrets"])
    for service in SERVICES.values():
        for secret in service.get("secrets", []):
            status = found[secret].stat()
            assert f"{status.st_uid}:" in service["user"]
            assert status.st_mode & 0o777 == 0o400
    assert found["fal_key"].read_text() == "id:s3cret"
    assert (
        f":{found['postgres_password'].read_text()}@postgres/" in found["database_url"].read_text()
    )
    tls = tmp_path / "tls"
    ssl.create_default_context().load_cert_chain(tls / "fullchain.pem", tls / "key.pem")
    assert f"{(tls / 'key.pem').stat().st_uid}:" in SERVICES["proxy"]["user"]


def test_the_image_installs_with_hashes_runs_as_the_user_and_ends_as_the_service() -> None:
    lines = text_of("deploy/Dockerfile").replace("\\\n", " ").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert [rest for word, rest in steps if word == "USER"] == [SERVICES["web"]["user"]]
    copied = [rest.split()[-1] for word, rest in steps if word == "COPY" and "--from" not in rest]
    opened = [rest for word, rest in steps if word == "RUN" and "chmod -R u=rwX,go=rX" in rest]
    assert copied[-1] in opened[0]  # whatever umask the checkout was made under
    assert "--uid 10001" in next(rest for word, rest in steps if "useradd" in rest)
    (command,) = [json.loads(rest) for word, rest in steps if word == "CMD"]
    assert command == SERVICES["web"]["command"].split()
    assert {word for word, _ in steps} <= {
        "FROM", "COPY", "RUN", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "CMD",
    }  # fmt: skip


@pytest.mark.long
def test_the_files_in_the_image_are_enough_to_serve(tmp_path: Path) -> None:
    """The program starts from a folder with nothing else, which it cannot write to."""
    lines = text_of("deploy/Dockerfile.dockerignore").splitlines()
    held = tuple(line[1:] for line in lines if line.startswith("!"))
    image = tmp_path / "image"
    for path in kept_files():
        if path.startswith(tuple(f"{name}/" for name in held)) or path in held:
            (image / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, image / path)
    assert not (image / "tests").exists()
    before = set(image.rglob("*"))
    with Serving(tmp_path, PYTHONDONTWRITEBYTECODE="1", root=image) as serving:
        assert serving.stop() == 0
    assert set(image.rglob("*")) == before


# --- nginx ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "upstreams", ["deploy/nginx-upstreams.conf", "deploy/compose/nginx-upstreams.conf"]
)
def test_nginx_takes_its_files(tmp_path: Path, upstreams: str) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    key = run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "fullchain.pem")  # fmt: skip
    assert key.returncode == 0, key.stderr
    names = text_of(upstreams)
    # Names of containers; `resolve` is free of charge since nginx 1.27.3, and Debian has an earlier one.
    names = re.sub(r"server (web|gateway):", "server 127.0.0.1:", names).replace(" resolve", "")
    conf = text_of("deploy/nginx.conf").replace("/etc/ssl/faldeck", str(tmp_path))
    conf = re.sub(r"/var/log/nginx", str(tmp_path), conf)
    (tmp_path / "conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{names}\n{conf}\n}}\n"
    )
    judged = run(nginx, "-t", "-p", tmp_path, "-e", tmp_path / "errors", "-c", tmp_path / "conf")
    assert judged.returncode == 0, judged.stderr
    assert "[warn]" not in judged.stderr


def test_nginx_takes_only_what_is_safe_today() -> None:
    conf = text_of("deploy/nginx.conf")
    for line in (
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "server_tokens off;",
        "ssl_session_tickets off;",
    ):
        assert line in conf


# --- systemd ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd is not installed")
    return found


def test_systemd_takes_every_unit(tmp_path: Path, analyze: str) -> None:
    for path in (ROOT / "deploy/systemd").iterdir():
        text = path.read_text().replace(
            "/srv/faldeck/.venv/bin/", f"{Path(sys.executable).parent}/"
        )
        (tmp_path / path.name).write_text(text)
    judged = run(analyze, "verify", "--man=no", *sorted(tmp_path.iterdir()))
    ours = [line for line in judged.stderr.splitlines() if "faldeck" in line]
    assert not ours
    assert judged.returncode == 0, judged.stderr


@pytest.mark.parametrize("name", UNITS.values())
def test_systemd_finds_little_exposure(name: str, analyze: str) -> None:
    """Of 10; 2 is its own limit of what it calls safe, and an unhardened service has 9.6."""
    judged = run(
        analyze, "security", "--offline=yes", "--threshold=20", ROOT / "deploy/systemd" / name
    )
    assert judged.returncode == 0, judged.stdout[-400:]


@pytest.mark.parametrize("name", UNITS.values())
def test_services_get_their_secrets_as_files(name: str) -> None:
    text = text_of(f"deploy/systemd/{name}")
    loaded = dict(re.findall(r"^LoadCredential=(\w+):(\S+)$", text, re.M))
    named = dict(re.findall(r"(\w+)_FILE=%d/(\w+)", text))
    assert named == {"DATABASE_URL": "database_url", "FAL_KEY": "fal_key"}
    assert set(named.values()) == set(loaded)
    told = text_of("docs/operations.md")
    assert all(path in told for path in loaded.values())
