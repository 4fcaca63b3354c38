"""The files of deploy/ fit together, fit the program, and fit what the documentation says.

They are read, not run: servers and containers are not part of the suite. `test_hardening.py` has nginx, systemd
and Compose's schema judge their grammar.
"""

from __future__ import annotations

import argparse
import configparser
import re
import shlex
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from dashboard.celery import app
from dashboard.masking import SECRET_PATHS
from tests.source import ROOT, text_of

PARTS = ("web", "gateway", "worker", "beat")
UNITS = {
    "web": "faldeck-web@.service",
    "worker": "faldeck-worker.service",
    "beat": "faldeck-beat.service",
    "prune": "faldeck-prune.service",
}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(text_of("deploy/docker-compose.yml"))
    return loaded


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text_of(f"deploy/systemd/{name}"))
    return parser


def commands() -> dict[str, str]:
    """Everything that deploy/ starts, as typed in a checkout."""
    found = {f"compose {part}": compose()["services"][part]["command"] for part in PARTS}
    for part, name in UNITS.items():
        found[f"systemd {part}"] = unit(name)["Service"]["ExecStart"]
    for part in ("web", "worker"):
        before = unit(UNITS[part])["Service"]["ExecStartPre"]
        found[f"systemd {part}'s migration"] = before.partition("migrate.lock ")[2]
    return {
        name: line.replace("/srv/faldeck/.venv/bin/", "").replace("%i", "8000")
        for name, line in found.items()
    }


@pytest.mark.parametrize("name", commands())
def test_every_command_is_one_the_program_understands(name: str) -> None:
    program, *words = shlex.split(commands()[name])
    if program == "celery":
        assert words[:2] == ["-A", "dashboard"]
        assert words[2] in ("worker", "beat")
        return
    assert [program, words[0]] == ["python", "manage.py"]
    command = load_command_class(get_commands()[words[1]], words[1])
    try:
        command.create_parser("manage.py", words[1]).parse_args(words[2:])
    except (SystemExit, argparse.ArgumentError) as error:
        pytest.fail(f"{words[1]} does not take {words[2:]}: {error}")


@pytest.mark.parametrize("name", [name for name in commands() if name.endswith("worker")])
def test_workers_use_the_pool_the_worker_loop_needs(name: str) -> None:
    pool = re.search(r"--pool (\w+)", commands()[name])
    assert pool
    assert pool[1] == app.conf.worker_pool


def test_whatever_migrates_does_so_one_at_a_time_and_before_it_works() -> None:
    """A worker that was quicker than the first migration wrote a traceback a second."""
    before = {unit(UNITS[part])["Service"]["ExecStartPre"] for part in ("web", "worker")}
    assert len(before) == 1
    for part in ("web", "worker"):
        assert unit(UNITS[part])["Service"]["RuntimeDirectory"] == "faldeck"


def test_compose_and_systemd_start_the_same() -> None:
    for part in ("worker", "beat"):
        assert commands()[f"compose {part}"] == commands()[f"systemd {part}"]


def test_operations_names_the_same_commands() -> None:
    told = text_of("docs/operations.md")
    for part in ("worker", "beat"):
        assert commands()[f"systemd {part}"] in told
    for name in (*UNITS.values(), "faldeck-prune.timer"):
        assert (ROOT / "deploy/systemd" / name).is_file()
        assert name.partition(".")[0].rstrip("@") in told


def test_compose_sets_only_variables_there_are_and_the_two_that_make_the_mode() -> None:
    known = set(re.findall(r"^\| `([A-Z_]+)` \|", text_of("README.md"), re.M))
    for part in PARTS:
        given = compose()["services"][part]["environment"]
        names = {name.removesuffix("_FILE") for name in given}
        assert names <= known, names - known
        assert {"DATABASE_URL", "REDIS_URL"} <= names


def test_without_a_key_of_the_installation_nothing_takes_a_sandbox_for_fal() -> None:
    """`fal_key` may be empty, and an empty key would start a sandbox, to which the teams' own keys would go."""
    for part in (*PARTS, "migrate"):
        assert compose()["services"][part]["environment"]["SANDBOX"] == "0"
    for name in UNITS.values():
        assert "SANDBOX=0" in unit(name)["Service"]["Environment"].split()


def test_compose_shows_the_proxy_alone_and_keeps_no_secret() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|KEY|TOKEN|DATABASE_URL", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in service["secrets"]


def test_nothing_of_compose_starts_before_what_it_needs_is_there() -> None:
    services = compose()["services"]
    for part in PARTS:
        needs = services[part]["depends_on"]
        assert set(needs) == {"migrate", "postgres", "redis"}
        for name, how in needs.items():
            healthy = how["condition"] == "service_healthy"
            assert healthy == ("healthcheck" in services[name])
    assert services["migrate"]["command"].startswith("python manage.py migrate")
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_a_stop_is_given_longer_than_the_program_takes() -> None:
    drain_s, cut_s = 10, 10  # the worker loop's, one after the other
    for part in ("web", "worker"):
        assert int(unit(UNITS[part])["Service"]["TimeoutStopSec"]) > drain_s + cut_s
        assert unit(UNITS[part])["Service"]["KillSignal"] == "SIGTERM"
        assert int(compose()["services"][part]["stop_grace_period"].rstrip("s")) > drain_s + cut_s


def test_prune_runs_daily() -> None:
    timer = unit("faldeck-prune.timer")
    assert timer["Timer"]["OnCalendar"] == "daily"
    assert timer["Timer"]["Persistent"] == "yes"


# --- nginx ------------------------------------------------------------------------------------------


def nginx() -> str:
    return re.sub(r"\s#.*|^#.*", "", text_of("deploy/nginx.conf"), flags=re.M)


def location(path: str) -> str:
    found = re.search(rf"location (?:(?:=|~\*?) )?{re.escape(path)} \{{(.*?)\}}", nginx(), re.S)
    assert found, path
    return found[1]


def test_every_statement_of_nginx_ends() -> None:
    assert nginx().count("{") == nginx().count("}")
    for line in map(str.strip, nginx().splitlines()):
        assert not line or line.endswith((";", "{", "}")), line


def test_a_webhooks_path_reaches_the_server_unlogged_and_unredirected() -> None:
    assert resolve("/hooks/fal/00000000-0000-4000-8000-000000000000/x").url_name == "webhook"
    assert "return" not in block_for("/hooks/fal/x/y")


def block_for(path: str) -> str:
    """What nginx does with a path, if one of the expressions fits it."""
    found = re.findall(r"location ~(\*?) (\S+) \{(.*?)\}", nginx(), re.S)
    fitting = [
        block for case, pattern, block in found if re.search(pattern, path, re.I if case else 0)
    ]
    return fitting[0] if fitting else ""


@pytest.mark.parametrize("path", SECRET_PATHS)
@pytest.mark.parametrize("secret", ["s3cret", "s3cret/", "s3cret/more"])
def test_every_path_that_holds_a_secret_reaches_the_server_unlogged(path: str, secret: str) -> None:
    for spelt in (path, path.upper()):
        block = block_for(f"/{spelt.replace('*', 'x')}/{secret}")
        assert "access_log off;" in block
        assert "error_log /dev/null" in block
        to = "gateway" if path.startswith("gateway/") else "web"
        assert f"proxy_pass http://faldeck_{to};" in block


@pytest.mark.parametrize(
    "path", ["/", "/requests/", "/api/v1/requests/", "/joiner/x", "/static/css/x.css"]
)
def test_other_paths_are_logged(path: str) -> None:
    assert block_for(path) == ""


def test_the_log_of_the_proxy_has_neither_query_nor_referrer() -> None:
    (form,) = re.findall(r"log_format faldeck (.*?);", nginx(), re.S)
    named = set(re.findall(r"\$(\w+)", form))
    assert {"uri", "status"} <= named
    assert not named & {"request", "request_uri", "args", "query_string", "http_referer"}
    assert not [name for name in named if name.startswith(("arg_", "cookie_", "http_a", "http_c"))]
    used = re.findall(r"access_log (?!off)(\S+) ?(\w*);", nginx())
    assert [with_form for _, with_form in used] == ["faldeck"]
    (level,) = re.findall(r"error_log +/var\S+ (\w+);", nginx())
    assert level == "crit"  # lesser lines repeat the request with its query


@pytest.mark.parametrize("name", UNITS.values())
def test_no_service_makes_what_other_users_can_read(name: str) -> None:
    service = unit(name)["Service"]
    assert service["UMask"] == "0077"
    assert service["StateDirectoryMode"] == "0700"


def test_plain_http_redirects_no_webhook_and_logs_no_path() -> None:
    plain = nginx().partition("listen 443")[0].partition("listen 80;")[2]
    assert "access_log off;" in plain
    assert "return 403;" in location("/hooks/")
    assert resolve("/setup/x/").url_name == "setup"


def test_figures_are_not_shown_to_the_world() -> None:
    assert "return 404;" in location("/metrics")


def test_nginx_lets_through_what_the_program_takes() -> None:
    size = re.search(r"client_max_body_size (\d+)m;", nginx())
    assert size
    assert int(size[1]) * 1024 * 1024 == settings.BODY_LIMIT_BYTES


@pytest.mark.parametrize("path", ["/gateway/", r"^/gateway/t(/|$)"])
def test_nginx_passes_bodies_of_the_gateway_on_as_they_come(path: str) -> None:
    (size,) = re.findall(r"client_max_body_size (\d+)g;", location(path))
    assert int(size) * 1024**3 == settings.GATEWAY_BODY_LIMIT_BYTES
    assert "proxy_request_buffering off;" in location(path)


@pytest.mark.parametrize(
    "line",
    [
        "proxy_set_header Host $host;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_set_header Connection $faldeck_connection;",
        "proxy_buffering off;",
    ],
)
def test_nginx_passes_what_the_program_relies_on(line: str) -> None:
    assert line in nginx()


def test_a_post_is_never_sent_to_a_second_process() -> None:
    (line,) = re.findall(r"proxy_next_upstream (.*?);", nginx())
    assert "non_idempotent" not in line
