"""The server as a thread and as a process: start, stop, kill, restart, and what it imports."""

from __future__ import annotations

import ast
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import requests_app.sandbox
from requests_app.sandbox import SandboxServer
from tests.ports import free_port
from tests.sandbox.calls import KEY, ended, held, status, submit, until, wait_for

PACKAGE = Path(requests_app.sandbox.__file__).parent
FAULTS = PACKAGE.parent / "faults"  # the engine, which the gateway's fault lab has too
OWN = ("requests_app.sandbox", "requests_app.faults")
ALLOWED = {
    "starlette",
    "uvicorn",
    "pydantic",
    "pydantic_core",
    "msgpack",
    "cryptography",
    "httpx",
    "PIL",
}


def imported_modules(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "requests_app.sandbox" if node.level else node.module or ""


def test_it_imports_nothing_of_the_project_and_no_django():
    """So that no misreading of the protocol is shared by both sides."""
    files = [*PACKAGE.rglob("*.py"), *FAULTS.rglob("*.py")]
    assert len(files) > 20
    for source in files:
        for module in imported_modules(source):
            top = module.split(".")[0]
            assert module.startswith(OWN) or top in ALLOWED or top in sys.stdlib_module_names, (
                source.name,
                module,
            )


def test_images_and_webhooks_cost_nothing_until_they_are_used():
    program = (
        "import sys; from requests_app.sandbox import SandboxServer; SandboxServer().start();"
        "print([m for m in ('PIL', 'httpx', 'django') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_it_stops_quietly_with_streams_open(caplog):
    server = SandboxServer().start()
    with httpx.Client(base_url=server.url, headers=KEY) as http:
        given = {"words": 5000, "delay_s": 0.01}
        receipt = submit(http, "sandbox/patient", seconds=60)
        with (
            http.stream("POST", "/run/sandbox/text/stream", json=given) as one,
            http.stream("GET", receipt["status_url"] + "/stream") as other,
        ):
            next(one.iter_raw())
            next(other.iter_raw())
            server.stop()
    assert caplog.records == []
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox"
                and thread is server._thread]  # fmt: skip
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_a_reply_does_not_wait_for_a_delayed_acknowledgement(sandbox, http):
    http.get("/healthz")
    [connection] = sandbox._server.server_state.connections
    taken = connection.transport.get_extra_info("socket")
    assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_state_file_that_is_no_database_is_an_error_at_once(tmp_path: Path):
    bad = tmp_path / "state.sqlite"
    bad.write_text("no database at all, but long enough to be looked at" * 20)
    with pytest.raises(sqlite3.DatabaseError):
        SandboxServer(state=bad).start()


def test_a_long_run_does_not_hold_up_the_stop(caplog):
    server = SandboxServer().start()
    failures: list[Exception] = []

    def run() -> None:
        try:
            httpx.post(f"{server.url}/run/sandbox/patient", headers=KEY, json={}, timeout=20)
        except httpx.TransportError as exc:
            failures.append(exc)

    caller = threading.Thread(target=run)
    caller.start()
    wait_for(lambda: server.ledger)
    server.stop()
    caller.join(30)
    assert len(failures) == 1
    assert caplog.records == []  # cut at once: uvicorn waits for a second, and then complains


def test_stop_may_be_called_twice_and_before_start():
    server = SandboxServer()
    server.stop()
    server.start().stop()
    server.stop()


def test_a_taken_port_is_an_error_at_once():
    with SandboxServer() as server, pytest.raises(OSError, match="in use"):
        SandboxServer(port=server.port).start()


def test_replies_name_the_public_url_when_there_is_one():
    with SandboxServer(public_url="http://fal.example:1234/") as server:
        url = f"http://127.0.0.1:{server.port}/queue/sandbox/echo"
        receipt = httpx.post(url, headers=KEY, json={}).json()
    assert receipt["status_url"].startswith("http://fal.example:1234/queue/sandbox/echo/")


def test_healthz_answers_without_a_key(http):
    assert httpx.get(f"{http.base_url}/healthz").json() == {"status": "ok"}


@contextmanager
def process(state: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`python -m requests_app.sandbox`, killed at the end if it still runs."""
    port = port or free_port()
    command = [sys.executable, "-m", "requests_app.sandbox", "--port", str(port)]
    running = subprocess.Popen([*command, "--state", str(state)], env=dict(os.environ))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(port))
        yield running, url
    finally:
        running.kill()
        running.wait(30)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.process
def test_a_killed_sandbox_takes_up_every_request_under_its_id(tmp_path: Path):
    state = tmp_path / "state.sqlite"
    with process(state) as (running, url), httpx.Client(base_url=url, headers=KEY) as http:
        done = submit(http, "sandbox/echo", message="before")
        picture = submit(http, "sandbox/image", prompt="sea", num_inference_steps=1,
                         image_size={"width": 64, "height": 64})  # fmt: skip
        ended(http, done)
        ended(http, picture)
        http.post("/control/faults", json=[held("sandbox/slow")])
        works = [submit(http, "sandbox/slow", steps=2, seconds_per_step=0) for _ in range(4)]
        until(http, works[0], "IN_PROGRESS")
        assert status(http, works[3])["status"] == "IN_QUEUE"
        running.send_signal(signal.SIGKILL)
        running.wait(30)
        port = int(re.findall(r"\d+", url)[-1])
        ledger_before = 6
    with process(state, port), httpx.Client(base_url=url, headers=KEY) as http:
        assert http.get(done["response_url"]).json()["message"] == "before"
        image = http.get(picture["response_url"]).json()["images"][0]["url"]
        assert http.get(image).content.startswith(b"\x89PNG")
        for receipt in works:
            ended(http, receipt)
            assert http.get(receipt["response_url"]).json()["steps"] == 2
        ids = [entry["request_id"] for entry in http.get("/control/ledger").json()]
        assert len(ids) == len(set(ids)) == ledger_before


@pytest.mark.process
def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more in (["--port", port], ["--port", "0", "--state", str(tmp_path / "no" / "x")]):
            command = [sys.executable, "-m", "requests_app.sandbox", *more]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            assert done.returncode == 1
            assert done.stderr.startswith("Cannot ")
            assert done.stderr.count("\n") == 1


@pytest.mark.process
def test_sigterm_ends_the_process_cleanly(tmp_path: Path):
    with process(tmp_path / "state.sqlite") as (running, _):
        running.terminate()
        assert running.wait(30) in (0, -signal.SIGTERM)


def test_the_ledger_proves_what_was_accepted_and_with_which_body(sandbox, http):
    import hashlib

    before = time.time()
    receipt = submit(http, "sandbox/echo", params={"fal_webhook": "http://127.0.0.1:1/a"}, n=1)
    entry = sandbox.ledger[-1]
    body = b'{"n":1}'
    assert entry.request_id == receipt["request_id"]
    assert entry.body_sha256 == hashlib.sha256(body).hexdigest()
    assert (entry.kind, entry.webhook_url) == ("submit", "http://127.0.0.1:1/a")
    assert before <= entry.accepted_at <= time.time()
