"""A queue for a real ``fal.App``: from our own rows, and by fal's Python client through the gateway, offline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app.catalogue import store
from requests_app.fal import EndpointId, parse_jwks, verify
from requests_app.models import FalRequest, Status, Team
from requests_app.worker.sweep import sweep
from tests.fal.peer import says
from tests.fal_app.serving import ENDPOINT_ID, FalApp
from tests.fal_app.test_serve import caller
from tests.gateway.conftest import Serving as Gateway
from tests.gateway.conftest import key as key
from tests.gateway.conftest import serving as serving
from tests.gateway.conftest import wait_for
from tests.process.serving import Serving
from tests.worker.conftest import PeerThread, ended
from tests.worker.conftest import peer as peer

pytestmark = [pytest.mark.fal, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue(peer: PeerThread, at_fal_app: FalApp, settings: Any) -> FalApp:
    """The app with a queue of ours; fal itself cannot be reached. The peer takes webhooks."""
    app = LocalApp(ENDPOINT_ID, at_fal_app.url, log=at_fal_app.printed)
    settings.LOCAL_APPS = {ENDPOINT_ID: app}
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    return at_fal_app


@pytest.fixture
def sweeping(loop: Any) -> Iterator[None]:
    """The clock of a worker."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.1):
            loop.run(sweep())

    clock = threading.Thread(target=beat)
    clock.start()
    yield
    over.set()
    clock.join()


def test_a_queued_request_of_ours_reaches_its_result_with_what_the_app_printed(
    queue: FalApp, ask: Callable[..., FalRequest], until: Callable[..., FalRequest]
) -> None:
    row = until(ask("queue", prompt="a pond", steps=2), ended)
    assert row.status == Status.COMPLETED, row.error
    assert json.loads(bytes(row.output or b""))["text"] == "a pond"
    assert "painting a pond" in [line.message for line in row.log_lines.all()]
    row = until(ask("queue", "/raise", prompt="a pond"), ended)
    assert (row.status, row.error_code) == (Status.FAILED, 500)


def test_fals_own_client_finds_a_queue_behind_the_gateway(
    queue: FalApp, serving: Gateway, key: str, sweeping: None, peer: PeerThread
) -> None:
    peer.will(says(200, {}))
    script = Path(__file__).with_name("queue_calls.py")
    words = [f"{serving.url}/gateway/queue", f"{peer.url}/hook", ENDPOINT_ID]
    done = subprocess.run(
        [sys.executable, str(script), *words],
        env={**os.environ, "FAL_KEY": key}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    sync = seen["sync"]
    assert (sync["text"], sync["first"], sync["waits"]) == ("a lake", "first", "Queued")
    assert {"InProgress", "Completed"} <= set(sync["updates"])
    assert "painting a lake" in sync["logs"]
    assert (sync["time"], sync["cancelled"]) == (True, 499)
    assert sync["invalid"] == [422, "string_too_short"]
    assert seen["async"] == {"last": "Completed", "text": "a hill"}
    wait_for(lambda: peer.requests)
    hook = peer.requests[0]
    keys = parse_jwks(httpx.get(f"{serving.url}/gateway/.well-known/jwks.json").content)
    report = verify(dict(hook.headers), hook.body, keys, timezone.now())
    assert (report.request_id, report.status) == (sync["id"], "OK")
    rows = serving.recorded()
    wait_for(lambda: all(row.is_ended for row in FalRequest.objects.all()))
    assert len(rows) == 5
    assert "second" not in [line.rpartition(" ")[2] for line in queue.log.splitlines()]


def test_fals_own_client_holds_sessions_with_the_app_through_the_gateway(
    queue: FalApp, serving: Gateway, key: str, settings: Any
) -> None:
    settings.FAL_REALTIME_URL = "ws://127.0.0.1:1"  # fal itself is not there
    script = Path(__file__).with_name("realtime_calls.py")
    at, token = f"{serving.url.replace('http', 'ws', 1)}/gateway", key.partition(":")[2]
    for base, shown in ((f"{at}/run", key), (f"{at}/t/{token}/run", "")):
        done = subprocess.run(
            [sys.executable, str(script), base, ENDPOINT_ID],
            env={**os.environ, "FAL_KEY": shown or "own:key"}, capture_output=True, text=True,
            timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert seen["sync"] == {"echo": [{"number": 1}, {"number": 2}], "counted": [0, 1, 2]}
        assert "cannot count to 3" in seen["error"]
        assert seen["async"] == {"number": 7}
    rows = serving.recorded()
    assert [row.status for row in rows[:2]] == [Status.COMPLETED, Status.COMPLETED]
    assert rows[0].frames.count() == 4
    assert rows[1].frames.count() >= 4  # perhaps with the app's end of it
    assert all(rows[at].frames.filter(data__contains="cannot count to 3") for at in (2, 6))


def test_the_form_of_an_own_app_comes_from_the_app_itself(
    queue: FalApp, team: Team, settings: Any
) -> None:
    settings.FAL_OPENAPI_URL = "http://127.0.0.1:1/{endpoint_id}"
    fields = {"": ["prompt", "steps", "seconds"], "/realtime": ["number"]}
    for path, names in fields.items():
        entry = store.get(EndpointId.parse(ENDPOINT_ID + path), team)
        assert entry.known is not None, entry.problem
        assert [field.name for field in entry.known.fields] == names
    entry = store.get(EndpointId.parse(f"{ENDPOINT_ID}/nope"), team)
    assert "no POST /nope" in entry.problem


@pytest.mark.process
def test_a_kill_in_the_middle_runs_nothing_twice_and_loses_nothing(
    tmp_path: Path, fal_app: FalApp
) -> None:
    serving = Serving(tmp_path, LOCAL_APPS=f"{ENDPOINT_ID}={fal_app.url}")
    with serving, caller(serving) as client:
        made = [
            client.post(
                "requests/",
                json={"endpoint_id": ENDPOINT_ID, "input": {"prompt": name, "seconds": seconds}},
            ).json()["id"]
            for name, seconds in (("torn", 60), ("next", 0))
        ]
        wait_for(lambda: "painting torn" in fal_app.log)
        wait_for(lambda: _status(client, made[0]) == "in_progress")
        wait_for(lambda: _status(client, made[1]) == "in_queue")
        serving.kill()
        serving.start()
        rows = [_ended(client, public_id) for public_id in made]
    assert (rows[0]["status"], rows[0]["error_type"]) == ("failed", "runner_disconnected")
    assert rows[1]["status"] == "completed"
    for name in ("torn", "next"):
        assert fal_app.log.splitlines().count(f"painting {name}") == 1


def _status(client: httpx.Client, public_id: str) -> str:
    return str(client.get(f"requests/{public_id}/").json()["status"])


def _ended(client: httpx.Client, public_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {}

    def is_so() -> bool:
        row.update(client.get(f"requests/{public_id}/").json())
        time.sleep(0.1)
        return row["status"] in ("completed", "failed", "cancelled", "uncertain")

    wait_for(is_so)
    return row
