from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from requests_app import checks

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def real_fal(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation as it should be."""
    monkeypatch.setitem(connection.settings_dict, "ENGINE", "django.db.backends.sqlite3")
    settings.SANDBOX = False
    settings.FAL_KEY = "key-id:key-secret"
    settings.SECRET_KEY = "s" * 50
    settings.PUBLIC_URL = "https://faldeck.example.com"
    settings.REDIS_URL = ""
    settings.FAL_RUN_URL = "https://fal.run"
    settings.FAL_QUEUE_URL = "https://queue.fal.run"
    settings.FAL_REST_URL = "https://rest.fal.ai"
    settings.FAL_API_URL = "https://api.fal.ai"
    settings.FAL_JWKS_URL = "https://rest.fal.ai/.well-known/jwks.json"


def ids(found: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in found)
    return [str(message.id).removeprefix("faldeck.") for message in found]


@pytest.mark.parametrize(
    "check",
    [
        checks.check_secret_key,
        checks.check_fal_key,
        checks.check_upstream_is_encrypted,
        checks.check_public_url,
        checks.check_processes,
        checks.check_media_hosts,
        checks.check_webhooks_are_not_redirected,
    ],
)
def test_a_good_installation_has_nothing_to_complain_about(
    check: Callable[[], list[CheckMessage]],
) -> None:
    assert check() == []


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("https://*.fal.media", []),
        ("http://127.0.0.1:8900", []),
        ("https://cdn.example:*", []),
        ("https://*", []),
        ("cdn.example", ["E012"]),
        ("https:", ["E012"]),
        ("https://cdn.example/files/", ["E012"]),
        ("https://cdn.example; script-src *", ["E012"]),
        ("https://cdn.*", ["E012"]),
        ("'unsafe-inline'", ["E012"]),
    ],
)
def test_a_media_host_that_a_browser_would_ignore_is_an_error(
    settings: Any, source: str, wanted: list[str]
) -> None:
    settings.FAL_MEDIA_HOSTS = ["https://fal.media", source]
    assert ids(checks.check_media_hosts()) == wanted


def test_a_short_secret_key_is_an_error(settings: Any) -> None:
    settings.SECRET_KEY = "s" * 31
    assert ids(checks.check_secret_key()) == ["E001"]


@pytest.mark.parametrize("key", ["abc", "abc:", ":abc", "a b:c", "a:b:c", "id:secret\nx"])
def test_a_key_without_both_parts_is_an_error_and_is_not_repeated(settings: Any, key: str) -> None:
    settings.FAL_KEY = key
    found = checks.check_fal_key()
    assert ids(found) == ["E002"]
    assert key not in str(found[0])


def test_the_sandbox_needs_no_key(settings: Any) -> None:
    settings.SANDBOX, settings.FAL_KEY = True, ""
    assert checks.check_fal_key() == []


@pytest.mark.parametrize(
    ("key", "run_url", "wanted"),
    [
        ("", "http://127.0.0.1:8080", ["W011"]),
        ("", "http://localhost:8080", ["W011"]),
        ("", "https://fal.run", ["W014"]),
        ("half-a-key", "http://127.0.0.1:8080", ["E002"]),
        ("key-id:key-secret", "http://127.0.0.1:8080", []),
    ],
)
def test_an_app_on_this_machine_needs_no_key(
    settings: Any, key: str, run_url: str, wanted: list[str]
) -> None:
    settings.FAL_KEY, settings.FAL_RUN_URL = key, run_url
    assert ids(checks.check_fal_key()) == wanted


@pytest.mark.parametrize("name", checks._UPSTREAM)
def test_plain_http_to_another_machine_is_an_error(settings: Any, name: str) -> None:
    setattr(settings, name, "http://proxy.example.com/x")
    found = checks.check_upstream_is_encrypted()
    assert ids(found) == ["E003"]
    assert name in found[0].msg


@pytest.mark.parametrize("host", ["127.0.0.1:8900", "localhost", "[::1]:80"])
def test_plain_http_on_this_machine_is_fine(settings: Any, host: str) -> None:
    settings.FAL_QUEUE_URL = f"http://{host}/queue"
    assert checks.check_upstream_is_encrypted() == []


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", []),
        ("https://faldeck.example.com", []),
        ("http://faldeck.example.com", ["W005"]),
        ("http://localhost:8000", ["W004"]),
        ("https://127.0.0.1", ["W004"]),
        ("https://10.1.2.3", ["W004"]),
        ("https://100.64.0.1", ["W004"]),
        ("https://[::1]", ["W004"]),
        ("https://faldeck", ["W004"]),
        ("https://faldeck.local", ["W004"]),
        ("https://8.8.8.8", []),
    ],
)
def test_a_public_url_that_does_not_work_with_fal_is_a_warning(
    settings: Any, url: str, wanted: list[str]
) -> None:
    settings.PUBLIC_URL = url
    assert ids(checks.check_public_url()) == wanted


def test_a_fal_on_this_machine_reaches_a_local_public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    settings.FAL_QUEUE_URL = "http://127.0.0.1:8900/queue"
    assert checks.check_public_url() == []


@pytest.mark.parametrize(
    ("debug", "url", "hosts", "wanted"),
    [
        (False, "https://faldeck.example.com", ["*"], []),
        (True, "https://faldeck.example.com", ["localhost"], ["W013"]),
        (True, "https://10.1.2.3", ["localhost"], ["W013"]),
        (True, "", ["localhost", "faldeck.example.com"], ["W013"]),
        (True, "", ["*"], ["W013"]),
        (True, "", [".example.com"], ["W013"]),
        (True, "", ["[2001:db8::1]"], ["W013"]),
        (True, "http://localhost:8000", ["localhost", "127.0.0.1", "[::1]", ".localhost"], []),
        (True, "", [], []),
    ],
)
def test_debug_pages_that_others_can_reach_are_a_warning(
    settings: Any, debug: bool, url: str, hosts: list[str], wanted: list[str]
) -> None:
    settings.DEBUG, settings.PUBLIC_URL, settings.ALLOWED_HOSTS = debug, url, hosts
    assert ids(checks.check_debug()) == wanted


@pytest.mark.parametrize(
    ("listens_on", "exposed"),
    [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("::", True), ("10.0.0.1", True)],
)
def test_debug_is_exposed_by_the_address_it_listens_on(
    settings: Any, listens_on: str, exposed: bool
) -> None:
    settings.DEBUG, settings.PUBLIC_URL, settings.ALLOWED_HOSTS = True, "", ["localhost"]
    assert checks.is_debug_exposed(listens_on) is exposed


@pytest.mark.parametrize(
    ("ssl", "exempt", "www", "wanted"),
    [
        (True, [], False, ["E010"]),
        (True, [r"^healthz$"], False, ["E010"]),
        (True, [r"^healthz$", r"^hooks/"], False, []),
        (False, [], True, ["E010"]),
    ],
)
def test_a_redirect_of_webhooks_is_an_error(
    settings: Any, ssl: bool, exempt: list[str], www: bool, wanted: list[str]
) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = ssl, exempt
    settings.PREPEND_WWW = www
    assert ids(checks.check_webhooks_are_not_redirected()) == wanted


@pytest.mark.parametrize(
    ("engine", "redis_url", "wanted"),
    [
        ("sqlite3", "", []),
        ("postgresql", "redis://x", []),
        ("postgresql", "", ["W006"]),
        ("sqlite3", "redis://x", ["W007"]),
    ],
)
def test_memory_and_several_processes_do_not_go_together(
    settings: Any, monkeypatch: pytest.MonkeyPatch, engine: str, redis_url: str,
    wanted: list[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(connection.settings_dict, "ENGINE", f"django.db.backends.{engine}")
    settings.REDIS_URL = redis_url
    assert ids(checks.check_processes()) == wanted


@pytest.mark.django_db
def test_missing_migrations_are_told_where_the_database_is_asked() -> None:
    assert checks.check_migrations(databases=["default"]) == []
    MigrationRecorder(connection).migration_qs.filter(app="requests_app").delete()
    found = checks.check_migrations(databases=["default"])
    assert ids(found) == ["W009"]
    assert checks.check_migrations(databases=None) == []


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=kept | {"DATA_DIR": str(tmp_path)} | environment,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.process
def test_the_deployment_check_is_silent_behind_https(tmp_path: Path) -> None:
    result = manage(
        tmp_path, "check", "--deploy", "--fail-level", "INFO",
        FAL_KEY="key-id:key-secret", PUBLIC_URL="https://faldeck.example.com",
        BEHIND_PROXY="1", HSTS_PRELOAD="1",
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
    assert "no issues (0 silenced)" in result.stdout


@pytest.mark.process
def test_a_plain_check_is_silent_on_a_fresh_machine(tmp_path: Path) -> None:
    result = manage(tmp_path, "check", "--fail-level", "INFO")
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.process
def test_the_checks_run_when_a_command_starts(tmp_path: Path) -> None:
    result = manage(tmp_path, "check", FAL_KEY="half-a-key")
    assert result.returncode == 1
    assert "faldeck.E002" in result.stderr
    assert "HINT" in result.stderr
