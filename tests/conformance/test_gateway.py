"""fal's own clients judge the gateway: what they see through it is what they see without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from requests_app.models import FalRequest, Mode, Status
from tests import tools
from tests.gateway.conftest import Serving
from tests.gateway.conftest import key as key
from tests.gateway.conftest import serving as serving

HERE = Path(__file__).parent

pytestmark = pytest.mark.conformance


def python(run: str, queue: str, key: str) -> dict[str, Any]:
    """What fal_client sees."""
    environment = {**os.environ, "FAL_KEY": key}
    done = subprocess.run(
        [sys.executable, str(HERE / "gateway_calls.py"), run, queue],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_python_client_sees_the_same_through_the_gateway(
    at_sandbox: Any, serving: Serving, key: str
) -> None:
    direct = python(f"{at_sandbox.url}/run", f"{at_sandbox.url}/queue", "sandbox:sandbox")
    base = f"{serving.url}/gateway"
    passed = python(f"{base}/run", f"{base}/queue", key)
    for way, steps in direct.items():
        for step, seen in steps.items():
            assert passed[way][step] == seen, (way, step)
    assert direct["sync"]["urls"] == [True, True, True]
    rows = serving.recorded()
    modes = [row.mode for row in rows]
    counted = {mode: modes.count(mode) for mode in Mode}
    assert counted == {Mode.QUEUE: 6, Mode.RUN: 23, Mode.STREAM: 2, Mode.REALTIME: 2}
    ended = FalRequest.objects.exclude(mode=Mode.QUEUE)
    assert set(ended.values_list("status", flat=True)) == {Status.COMPLETED, Status.FAILED}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The script beside its installed packages."""
    installed = tools.npm_project("js_client")
    if not (installed / "node_modules").is_dir():
        pytest.skip(tools.NO_PACKAGES.format("fal's JavaScript client"))
    for name in ("package.json", "gateway.mjs"):
        shutil.copy(HERE / "js" / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(installed / "node_modules")
    return tmp_path


def test_the_javascript_client_works_with_the_gateway_as_its_proxy(
    at_sandbox: Any, serving: Serving, key: str, project: Path
) -> None:
    environment = {**os.environ, "FAL_KEY": key, "PROXY_URL": f"{serving.url}/gateway/proxy"}
    done = subprocess.run(
        [tools.NODE, "gateway.mjs"], cwd=project, env=environment, capture_output=True, text=True,
        timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    seen = json.loads(done.stdout)
    assert seen["run"] == {"doubled": 42, "hasId": True}
    for mode in ("polling", "streaming"):
        assert seen[mode] == {"steps": 2, "isCompleted": True}
    assert seen["cancelled"] == "client_cancelled"
    assert (seen["invalid"]["name"], seen["invalid"]["status"]) == ("ValidationError", 422)
    assert seen["stream"] == [True, True, True, True, False]
    assert seen["upload"] == "from a file"
    assert len(serving.recorded()) == 6
