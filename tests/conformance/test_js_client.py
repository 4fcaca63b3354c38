"""fal's JavaScript client judges the sandbox: `js/script.mjs` acts, the tests below look at it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from requests_app.sandbox import DEFAULT_KEY, SandboxServer
from tests import tools

HERE = Path(__file__).parent / "js"
IMAGE_TO_IMAGE = "fal-ai/fast-sdxl"

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside its installed packages, outside the checkout."""
    installed = tools.npm_project("js_client")
    if not (installed / "node_modules").is_dir():
        pytest.skip(tools.NO_PACKAGES.format("fal's JavaScript client"))
    target = tmp_path_factory.mktemp("js")
    shutil.copy(HERE / "package.json", target)
    shutil.copy(HERE / "script.mjs", target)
    (target / "node_modules").symlink_to(installed / "node_modules")
    return target


@pytest.fixture(scope="module")
def seen(project: Path) -> dict[str, list]:
    """What the client saw, by step."""
    with SandboxServer() as server:
        environment = {**os.environ, "SANDBOX_URL": server.url, "FAL_KEY": DEFAULT_KEY}
        done = subprocess.run(
            [tools.NODE, "script.mjs"], cwd=project, env=environment, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    steps: dict[str, list] = {}
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        steps.setdefault(entry["step"], []).append(entry["value"])
    return steps


def only(seen: dict[str, list], step: str):
    (value,) = seen[step]
    return value


def test_run_returns_the_output_and_a_request_id(seen):
    value = only(seen, "run")
    assert value["hasId"]
    assert (value["data"]["number"], value["data"]["doubled"]) == (21, 42)


def test_submit_returns_urls_without_the_sub_path(seen):
    submitted = only(seen, "submit")
    root = submitted["response_url"]
    assert root.endswith(f"/queue/{IMAGE_TO_IMAGE}/requests/{submitted['request_id']}")
    assert submitted["status_url"] == f"{root}/status"
    assert submitted["cancel_url"] == f"{root}/cancel"
    assert submitted["status"] == "IN_QUEUE"


def test_status_goes_from_open_to_completed(seen):
    assert only(seen, "status")["status"] in ("IN_QUEUE", "IN_PROGRESS")
    completed = only(seen, "completed")
    assert completed["status"] == "COMPLETED"
    assert [line["message"] for line in completed["logs"]] == ["Painting 512x512"]


def test_result_is_the_plain_output_of_the_submitted_request(seen):
    result = only(seen, "result")
    assert result["requestId"] == only(seen, "submit")["request_id"]
    assert result["data"]["seed"] == 7
    assert len(result["data"]["images"]) == 1


def test_cancel_ends_a_running_request_with_client_cancelled(seen):
    value = only(seen, "cancelled")
    assert value["status"]["error_type"] == "client_cancelled"
    assert value["result"]["status"] == 499


def test_a_second_cancel_is_told_that_it_is_too_late(seen):
    value = only(seen, "cancel again")
    assert (value["status"], value["body"]) == (400, {"status": "ALREADY_COMPLETED"})


@pytest.mark.parametrize("mode", ["polling", "streaming"])
def test_subscribe_collects_every_log_line_once(seen, mode):
    value = only(seen, f"subscribe {mode}")
    lines = value["updates"][-1]["logs"]
    steps = [f"Step {n}/3: {p} %" for n, p in ((1, 33), (2, 66), (3, 100))]
    assert lines == ["Loading weights", *steps]
    assert value["updates"][-1]["status"] == "COMPLETED"
    assert value["data"]["steps"] == 3


def test_a_wrong_field_is_a_validation_error_with_its_place(seen):
    error = only(seen, "invalid")
    assert (error["name"], error["status"]) == ("ValidationError", 422)
    assert error["body"]["detail"][0]["loc"] == ["body", "prompt"]


def test_an_unknown_app_is_404_and_a_wrong_key_401(seen):
    assert only(seen, "unknown")["status"] == 404
    assert only(seen, "wrong key")["status"] == 401


def test_stream_gives_every_event_through_the_server_and_directly(seen):
    for value in seen["stream"]:
        events = value["events"]
        assert [event["partial"] for event in events] == [True] * 4 + [False]
        assert value["last"] == events[-1]
    assert len(seen["stream"]) == 2


def test_realtime_answers_in_msgpack_with_bytes_intact(seen):
    results = only(seen, "realtime")
    assert [result["index"] for result in results] == [0, 1, 2]
    assert {result["request_id"] for result in results} == {"mine"}
    assert results[0]["image"] == [0, 1, 254, 255]
    assert results[0]["doubled"] == 3


def test_realtime_tells_an_exception_of_the_model(seen):
    error = only(seen, "realtime error")
    assert error["body"]["error"] == "INTERNAL_ERROR"
    assert error["body"]["reason"] == "on purpose"


def test_uploads_come_back_as_they_went(seen):
    value = only(seen, "upload")
    assert value["text"] == "from a file"
    assert value["type"].startswith("text/plain")
    assert value["url"].endswith(".txt")
    assert only(seen, "upload in input") == "from a file"


def test_an_upload_in_parts_is_put_together_in_order(seen):
    size = 90 * 1024 * 1024 + 5
    assert only(seen, "multipart") == {"size": size, "first": 7, "last": 9}
