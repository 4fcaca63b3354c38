"""The settings as a fresh process reads them: with nothing set, and with each kind of nonsense."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live

from requests_app.display.media_hosts import is_showable

SHOWN = (
    "ALLOWED_HOSTS", "CHANNEL_LAYERS", "CSRF_TRUSTED_ORIGINS", "DEBUG", "FAL_API_URL", "FAL_KEY",
    "FAL_QUEUE_URL", "FAL_REALTIME_URL", "FAL_RUN_URL", "HTTPS", "PUBLIC_URL", "SANDBOX", "SECRET_KEY",
    "CONTENT_SECURITY_POLICY", "FAL_MEDIA_HOSTS", "CSRF_COOKIE_NAME", "SECURE_HSTS_PRELOAD", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE",
)  # fmt: skip
PROGRAM = f"""
import json
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
try:
    shown = {{name: getattr(settings, name) for name in {SHOWN!r}}}
    database = settings.DATABASES["default"]
    shown |= {{"ENGINE": database["ENGINE"], "OPTIONS": database["OPTIONS"]}}
except ImproperlyConfigured as error:
    shown = {{"error": str(error)}}
print(json.dumps(shown))
"""


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Read the settings in a process of its own, with this environment alone."""

    def run(**environment: str) -> dict[str, Any]:
        base = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "dashboard.settings"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**base, "DATA_DIR": str(tmp_path), **environment},
            cwd=live.BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    return run


def test_with_nothing_set_everything_stays_on_this_machine(start: Any, tmp_path: Path) -> None:
    shown = start()
    assert (shown["SANDBOX"], shown["DEBUG"]) == (True, False)
    assert shown["FAL_QUEUE_URL"].startswith("http://127.0.0.1:")
    assert shown["FAL_API_URL"].startswith("http://127.0.0.1:")
    assert shown["ENGINE"].endswith("sqlite3")
    assert shown["CHANNEL_LAYERS"]["default"]["BACKEND"].endswith("ThreadSafeInMemoryLayer")
    assert shown["SECRET_KEY"] == (tmp_path / "secret_key").read_text()
    assert start()["SECRET_KEY"] == shown["SECRET_KEY"]


def test_a_key_alone_means_fal_itself(start: Any) -> None:
    shown = start(FAL_KEY="id:secret")
    assert (shown["SANDBOX"], shown["FAL_KEY"]) == (False, "id:secret")
    assert shown["FAL_QUEUE_URL"] == "https://queue.fal.run"
    assert shown["FAL_API_URL"] == "https://api.fal.ai"
    assert shown["FAL_REALTIME_URL"] == "wss://fal.run"


def test_an_upstream_of_ones_own_is_no_sandbox(start: Any) -> None:
    shown = start(FAL_QUEUE_URL="http://fal.internal:9000/queue/")
    assert (shown["SANDBOX"], shown["FAL_KEY"]) == (False, "")
    assert shown["FAL_QUEUE_URL"] == "http://fal.internal:9000/queue"


@pytest.mark.slow
def test_a_public_url_with_tls_hardens_cookies_and_trusts_exactly_its_origin(start: Any) -> None:
    shown = start(PUBLIC_URL="https://Dash.Example:443/")
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["https://dash.example"]
    assert "dash.example" in shown["ALLOWED_HOSTS"]
    assert shown["HTTPS"] and shown["SESSION_COOKIE_SECURE"]
    assert shown["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert shown["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert shown["SECURE_HSTS_SECONDS"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "preloads"),
    [
        ({"PUBLIC_URL": "https://dash.example"}, False),
        ({"PUBLIC_URL": "https://dash.example", "HSTS_PRELOAD": "1"}, True),
        ({"PUBLIC_URL": "http://dash.example", "HSTS_PRELOAD": "1"}, False),
    ],
)
def test_browsers_list_the_name_only_when_the_operator_says_so(
    start: Any, environment: dict[str, str], preloads: bool
) -> None:
    assert start(**environment)["SECURE_HSTS_PRELOAD"] is preloads


def test_a_public_url_without_tls_keeps_its_port(start: Any) -> None:
    shown = start(PUBLIC_URL="http://[::1]:8000")
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["http://[::1]:8000"]
    assert not shown["SESSION_COOKIE_SECURE"]


def test_services_are_chosen_by_their_urls(start: Any) -> None:
    shown = start(DATABASE_URL="postgres://me:pw@db:5432/x", REDIS_URL="redis://cache:6379/0")
    assert shown["ENGINE"].endswith("postgresql")
    assert "redislayer" in shown["CHANNEL_LAYERS"]["default"]["BACKEND"]


def test_neither_a_silent_redis_nor_a_process_that_stands_still_is_waited_for(start: Any) -> None:
    shown = start(DATABASE_URL="postgres://me:pw@db:5432/x", REDIS_URL="redis://cache:6379/0")
    [redis] = shown["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"]
    assert redis["socket_timeout"] <= 1
    assert "idle_in_transaction_session_timeout" in shown["OPTIONS"]["options"]


def test_a_database_that_is_back_is_found_at_once(start: Any) -> None:
    """A pool's pauses between attempts double as long as it goes on with them."""
    shown = start(DATABASE_URL="postgres://me:pw@db:5432/x")
    assert shown["OPTIONS"]["pool"]["reconnect_timeout"] <= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "perhaps"), ("SANDBOX_PORT", "eighty"), ("RUN_TIMEOUT", "0"),
        ("PUBLIC_URL", "dash.example"), ("FAL_QUEUE_URL", "ftp://fal"), ("LOG_LEVEL", "loud"),
        ("FAL_REALTIME_URL", "https://fal.run"), ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://me:hunter2@db:port/x"), ("FAL_KEY_FILE", "/no/such/file"),
        ("DATA_DIR", "/dev/null/data"), ("WEBHOOK_ADDRESS_CHECK", "on"),
        ("WEBHOOK_EXTRA_ADDRESSES", "fal.ai"),
    ],
)  # fmt: skip
def test_nonsense_stops_the_start_with_a_sentence_that_names_it(
    name: str, value: str, start: Any
) -> None:
    error = start(**{name: value})["error"]
    assert error.startswith(name.removesuffix("_FILE"))
    assert "hunter2" not in error


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"FAL_KEY": "id:secret"},
        {},
        {"FAL_MEDIA_HOSTS": "https://cdn.example.com,https://*.example.org:8443"},
        {"FAL_MEDIA_HOSTS": "http://localhost:*", "FAL_KEY": "id:secret"},
    ],
)
def test_the_policy_of_pages_allows_the_media_that_pages_point_to_and_no_other(
    start: Any, environment: dict[str, str]
) -> None:
    shown = start(**environment)
    directives, hosts = shown["CONTENT_SECURITY_POLICY"]["DIRECTIVES"], shown["FAL_MEDIA_HOSTS"]
    assert hosts
    for name, own in (
        ("img-src", ["'self'", "data:"]),
        ("media-src", ["'self'", "data:", "blob:"]),
    ):
        assert directives[name] == [*own, *hosts]
        others = directives[name][len(own) :]
        for source in others:
            url = f"{source.replace('*.', 'a.').replace(':*', ':99')}/x.png"
            assert is_showable(url, hosts)
            assert not is_showable(url, [])
    assert is_showable("data:image/png;base64,AAAA", hosts)
