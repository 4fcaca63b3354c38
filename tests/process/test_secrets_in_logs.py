"""With every logger at DEBUG, no line of a real process holds a key, a token, a password or a session."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from requests_app.sandbox import SandboxServer
from tests.process.serving import Serving

pytestmark = pytest.mark.process

KEY = "canary-key-id:canary-key-secret"
PASSWORD, WRONG = "canary-password-right", "canary-password-wrong"


@pytest.fixture
def fal() -> Iterator[SandboxServer]:
    with SandboxServer(keys=frozenset({KEY})) as server:
        yield server


@pytest.fixture
def serving(tmp_path: Path, fal: SandboxServer) -> Iterator[Serving]:
    installation = Serving(
        tmp_path, FAL_KEY=KEY, SECRET_KEY="canary-of-django" * 4, METRICS_TOKEN="canary-metrics",
        FAL_RUN_URL=f"{fal.url}/run", FAL_QUEUE_URL=f"{fal.url}/queue",
        FAL_REST_URL=f"{fal.url}/rest", FAL_API_URL=f"{fal.url}/api", FAL_JWKS_URL=f"{fal.url}/rest/.well-known/jwks.json",
        LOG_LEVEL="DEBUG", LOG_FORMAT="json",
    )  # fmt: skip
    installation.environment["PUBLIC_URL"] = installation.url
    with installation:
        yield installation


def used(serving: Serving, fal: SandboxServer) -> set[str]:
    """Log in, submit in every mode, hear webhooks, hold a session: the secrets that went about."""
    serving.manage(
        "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    serving.manage("create_team", "Acme", "--owner", "ada")
    token = serving.manage("create_token", "--user", "ada", "--team", "Acme")
    submit_by_api(serving, token)
    call_through_the_gateway(serving, token)
    wait_for_webhook(fal)
    cookies = logged_in(serving)
    asyncio.run(hold_a_session(serving, cookies))
    httpx.get(f"{serving.url}/metrics", headers={"Authorization": "Bearer canary-metrics"})
    hooks = {str(entry.webhook_url).rpartition("/")[2] for entry in fal.ledger if entry.webhook_url}
    assert hooks
    return {token, *hooks, *cookies.values()}


def call_through_the_gateway(serving: Serving, token: str) -> None:
    """With a virtual key, with fal's own, and with one that is neither."""
    for key, code in ((f"app:{token}", 200), (KEY, 401), ("app:fdk_wrong", 401)):
        headers = {"Authorization": f"Key {key}", "Cookie": "faldeck=canary"}
        url = f"{serving.url}/gateway/run/sandbox/echo"
        assert httpx.post(url, json={"number": 1}, headers=headers).status_code == code


def submit_by_api(serving: Serving, token: str) -> None:
    api = f"{serving.url}/api/v1/requests/"
    headers = {"Authorization": f"Bearer {token}"}
    for endpoint, mode in (("image", "queue"), ("image", "run"), ("text", "stream")):
        body = {"endpoint_id": f"sandbox/{endpoint}", "mode": mode, "input": {"prompt": "x"}}
        assert httpx.post(api, json=body, headers=headers, timeout=60).status_code == 201
    assert httpx.get(api, headers={"Authorization": f"Bearer {token}wrong"}).status_code == 401


def wait_for_webhook(fal: SandboxServer) -> None:
    end = time.monotonic() + 60
    while not any(entry.webhook_url for entry in fal.ledger):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(1.5)  # its delivery, and a refused one of ours
    url = next(entry.webhook_url for entry in fal.ledger if entry.webhook_url)
    assert httpx.post(str(url), content=b"{}").status_code in (400, 401)
    assert httpx.get(str(url)).status_code == 405


def logged_in(serving: Serving) -> dict[str, str]:
    login = f"{serving.url}/accounts/login/"
    with httpx.Client(timeout=60) as browser:
        for password in (WRONG, PASSWORD):
            form = browser.get(login).text
            found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', form)
            assert found
            fields = {"csrfmiddlewaretoken": found[1], "login": "ada", "password": password}
            reply = browser.post(login, data=fields)
        assert reply.status_code == 302
        return dict(browser.cookies)


async def hold_a_session(serving: Serving, cookies: dict[str, str]) -> None:
    """With a token of fal's in the address, which a browser's cookies opened."""
    said = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    url = serving.url.replace("http", "ws", 1) + "/ws/realtime/"
    page = httpx.get(f"{serving.url}/realtime/", cookies=cookies, timeout=60).text
    team = re.search(r'data-made-for="(\w+)"', page)
    assert team
    async with connect(
        url, additional_headers={**said, "Origin": serving.url}, proxy=None
    ) as socket:
        wish = {"type": "connect", "endpoint": "sandbox/echo", "auth": "token", "made_for": team[1]}
        await socket.send(json.dumps(wish))
        told = [json.loads(await asyncio.wait_for(socket.recv(), 30))["type"] for _ in range(2)]
        assert told == ["session", "open"]


def test_no_line_holds_a_secret(serving: Serving, fal: SandboxServer) -> None:
    secrets = used(serving, fal)
    serving.stop()
    log = serving.log.read_text()
    assert log.count('"level": "DEBUG"') > 50
    assert [secret for secret in secrets if secret in log] == []
    assert re.findall(r".*canary.*", log) == []
    assert re.findall(r"fal_jwt_token=(?!\*)\S+|eyJ\S{20,}", log) == []
