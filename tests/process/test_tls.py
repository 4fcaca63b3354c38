"""`serve --tls`: fal's own Python client and a browser's calls, over TLS with the installation's own authority."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.benchmarks.latency import PASSWORD, make_member
from tests.gateway.conftest import wait_for
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = pytest.mark.process

MB = 1024 * 1024
# A user's program: nothing but the variables that the page names points it at Faldeck.
PROGRAM = """
import json
import fal_client

seen = {"run": fal_client.run("sandbox/echo", {"number": 21})}
seen["subscribe"] = fal_client.subscribe("sandbox/echo", {"number": 2})
seen["stream"] = len(list(fal_client.stream("sandbox/text", {"words": 3, "delay_s": 0.01})))
with fal_client.realtime("sandbox/echo", use_jwt=False) as session:
    session.send({"number": 1.5})
    seen["realtime"] = session.recv()["doubled"]
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("tls")
    with Serving(folder, "--tls", SANDBOX_PORT=str(free_port())) as installation:
        yield installation


@pytest.fixture(scope="module")
def token(serving: Serving) -> str:
    return make_member(serving)


@pytest.fixture(scope="module")
def trust(serving: Serving) -> str:
    """The file that the start names."""
    found = re.search(r"export SSL_CERT_FILE=(\S+)", serving.log.read_text())
    assert found
    return found[1]


@pytest.fixture
def browser(serving: Serving, trust: str) -> Iterator[httpx.Client]:
    context = ssl.create_default_context(cafile=trust)
    with httpx.Client(base_url=serving.url, verify=context, trust_env=False, timeout=60) as client:
        yield client


def test_fals_client_works_through_the_gateway_with_the_named_variables(
    serving: Serving, token: str, trust: str, browser: httpx.Client
) -> None:
    host = f"localhost:{serving.port}/gateway"
    environment = {
        **{name: value for name, value in serving.environment.items() if name in ("PATH", "HOME")},
        "FAL_RUN_HOST": f"{host}/run",
        "FAL_QUEUE_RUN_HOST": f"{host}/queue",
        "FAL_KEY": f"faldeck:{token}",
        "SSL_CERT_FILE": trust,
    }
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["run"]["doubled"] == 42
    assert seen["subscribe"]["doubled"] == 4
    assert seen["stream"] > 1
    assert seen["realtime"] == 3

    def modes() -> set[str]:
        listed = browser.get("/api/v1/requests/", headers={"Authorization": f"Bearer {token}"})
        return {row["mode"] for row in listed.raise_for_status().json()["items"]}

    wait_for(lambda: modes() == {"queue", "realtime", "run", "stream"}, 60)


def test_pages_sockets_and_webhooks_speak_tls_and_cookies_are_bound_to_it(
    serving: Serving, token: str, trust: str, browser: httpx.Client
) -> None:
    page = browser.get("/accounts/login/")
    assert (
        "strict-transport-security" not in page.headers
    )  # it would hold for every port of the name
    form = {
        "login": "ada",
        "password": PASSWORD,
        "csrfmiddlewaretoken": browser.cookies["__Host-csrftoken"],
    }
    entered = browser.post("/accounts/login/", data=form, headers={"Referer": f"{serving.url}/"})
    assert entered.status_code == 302, entered.text
    for cookie in entered.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
    assert "__Host-faldeck" in browser.cookies

    headers = {"Cookie": f"__Host-faldeck={browser.cookies['__Host-faldeck']}"}
    with connect(
        f"wss://127.0.0.1:{serving.port}/ws/",
        ssl=ssl.create_default_context(cafile=trust), additional_headers=headers, origin=serving.url,
        open_timeout=60,
    ) as socket:  # fmt: skip
        socket.ping().wait(60)

    body = {"endpoint_id": "sandbox/echo", "input": {"number": 1}}
    by_token = {"Authorization": f"Bearer {token}"}
    made = browser.post("/api/v1/requests/", json=body, headers=by_token).raise_for_status().json()

    def heard() -> Any:
        detail = browser.get(f"/api/v1/requests/{made['id']}/", headers=by_token).json()
        return detail["status"] == "completed"

    wait_for(heard, 60)
    log = serving.log.read_text()
    assert "Traceback" not in log


def test_a_body_that_is_too_large_is_told_so_over_tls_too(browser: httpx.Client) -> None:
    answer = browser.post("/api/v1/requests/", content=b"x" * (33 * MB))
    assert answer.status_code == 413
