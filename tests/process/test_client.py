"""The `faldeck` package against a served installation with its sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from requests_app import client as faldeck
from requests_app.api import guide
from requests_app.client import Completed, InProgress, Queued
from tests.api.test_mcp import over_http, told
from tests.benchmarks.latency import make_member
from tests.client.calling import KINDS, by
from tests.ports import free_port
from tests.process.serving import Serving

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder: Path = tmp_path_factory.mktemp("installation")
    with Serving(folder, SANDBOX_PORT=str(free_port())) as installation:
        yield installation


@pytest.fixture(scope="module")
def named(serving: Serving) -> dict[str, Any]:
    """Where the installation is, and a token for it."""
    return {"url": serving.url, "token": make_member(serving)}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_program_does_with_faldeck_what_it_does_with_fals_client(
    kind: str, named: dict[str, Any]
) -> None:
    seen: list[Any] = []
    given = {"steps": 3, "seconds_per_step": 0.1}
    output = await by(
        kind, "subscribe", "sandbox/slow", given, with_logs=True, on_queue_update=seen.append,
        client_timeout=120, **named,
    )  # fmt: skip
    assert output["steps"] == 3
    assert isinstance(seen[0], Queued) and isinstance(seen[-1], Completed)
    assert {type(one) for one in seen} <= {Queued, InProgress, Completed}
    assert "Step 3/3: 100 %" in [line["message"] for line in seen[-1].logs]

    echo = {"message": "é", "number": 21}
    assert (await by(kind, "run", "sandbox/echo", echo, timeout=120, **named))["doubled"] == 42

    text = {"words": 5, "delay_s": 0.01}
    words = await by(kind, "stream", "sandbox/text", text, timeout=120, **named)
    assert (len(words), words[-1]["partial"]) == (6, False)

    assert (await by(kind, "upload", "é", "text/plain", "a.txt", **named)).startswith("http")

    with pytest.raises(faldeck.RequestFailedError) as failed:
        await by(kind, "subscribe", "sandbox/strict", {"prompt": "forbidden"}, **named)
    assert failed.value.status_code == 422
    assert failed.value.response.json()["detail"][0]["type"] == "content_policy_violation"


async def test_a_session_and_the_tools_of_ai_clients_work_at_the_real_server(
    named: dict[str, Any],
) -> None:
    url, token = named["url"], named["token"]
    async with faldeck.AsyncClient(token, url=url) as client:
        async with client.realtime("sandbox/echo") as session:
            await session.send({"number": 21})
            answer = await session.recv()
            assert answer is not None and answer["doubled"] == 42
        with pytest.raises(faldeck.RealtimeError, match="A valid API token"):
            async with faldeck.AsyncClient("fdk_none", url=url).realtime("sandbox/echo"):
                pass

    async def look(mcp: Client) -> None:
        found = await told(mcp, "search_requests", query="endpoint:echo mode:realtime")
        assert session.request_id in [row["id"] for row in found["requests"]]

    await over_http(url, token, look)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_handle_cancels_and_a_repeated_key_is_the_same_request(
    kind: str, named: dict[str, Any]
) -> None:
    given = ("sandbox/patient", {"seconds": 300})
    handle = await by(kind, "submit", *given, idempotency_key=kind, **named)
    again = await by(kind, "submit", *given, idempotency_key=kind, **named)
    assert again.request_id == handle.request_id
    with pytest.raises(faldeck.DuplicateRequestError) as refused:
        await by(kind, "submit", *given, allow_duplicate=False, **named)
    assert refused.value.request_id
    await by(kind, "cancel", given[0], handle.request_id, **named)
    with pytest.raises(faldeck.RequestCancelledError):
        await by(kind, "result", given[0], handle.request_id, **named)
    status = await by(kind, "status", given[0], handle.request_id, with_logs=True, **named)
    assert isinstance(status, Completed) and status.error


def test_pip_installs_the_wheel_that_is_served(
    serving: Serving, named: dict[str, Any], tmp_path: Path
) -> None:
    name = f"faldeck-{faldeck.__version__}-py3-none-any.whl"
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install"]
    alone = ["--no-deps", "--no-index", "--no-cache-dir", "--target", str(tmp_path / "packages")]
    kept = {each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ}
    ran = subprocess.run(
        [*pip, *alone, f"{serving.url}/client/{name}"],
        env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    program = (
        "import faldeck as fal_client; print(fal_client.__file__);"
        "print(fal_client.subscribe('sandbox/echo', {'message': 'hello', 'number': 4})['doubled'])"
    )
    where = {"PYTHONPATH": str(tmp_path / "packages")}
    place = {"FALDECK_URL": named["url"], "FALDECK_TOKEN": named["token"]}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **where, **place}, cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    file, doubled = ran.stdout.split()
    command = [sys.executable, "-m", "faldeck", "run", "sandbox/echo", "number:=21", "--json"]
    ran = subprocess.run(
        command, env={**kept, **where, **place}, cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["doubled"] == 42
    for words, expected in (
        ([sys.executable, "-c", guide.PYTHON], "42.0\n8"),
        (["bash", "-c", guide.SHELL], '"status": "completed"'),
    ):
        ran = subprocess.run(
            words, env={**kept, **where, **place}, cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert expected in ran.stdout
    assert (Path(file).parent, doubled) == (tmp_path / "packages" / "faldeck", "8.0")
