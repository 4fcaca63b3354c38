"""fal's Python client judges the sandbox with the live tests of its own source distribution."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from requests_app.sandbox import DEFAULT_KEY, SandboxServer
from tests import tools

LIVE_TESTS = 7
UPLOADS = 13
HERE = Path(__file__).parent

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def published_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the `tests` folder of the published source distribution."""
    target = tmp_path_factory.mktemp("fal_client")
    if not tools.fal_client_tests().is_dir():
        pytest.skip(tools.NO_PACKAGES.format("the source of fal_client"))
    return Path(shutil.copytree(tools.fal_client_tests(), target / "tests"))


@pytest.fixture
def sandbox():
    with SandboxServer() as server:
        yield server


def run_live_tests(tests: Path, url: str, report: Path) -> subprocess.CompletedProcess[str]:
    (tests / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-c", str(tests / "pytest.ini"), "-q"]
    command += ["-p", "no:django", "-p", "fal_client_plugin", "-k", "test_fal_client"]
    command += [f"--junitxml={report}", "test_sync_client.py", "test_async_client.py"]
    environment = {**os.environ, "FAL_KEY": DEFAULT_KEY, "SANDBOX_URL": url}
    environment["PYTHONPATH"] = str(HERE)
    return subprocess.run(
        command, cwd=tests, env=environment, capture_output=True, text=True, timeout=100
    )


def test_the_installed_client_is_the_one_whose_tests_are_run():
    assert version("fal_client") == tools.FAL_CLIENT


def test_every_live_test_of_the_published_client_passes_and_none_is_skipped(
    published_tests: Path, sandbox: SandboxServer, tmp_path: Path
):
    report = tmp_path / "report.xml"
    done = run_live_tests(published_tests, sandbox.url, report)

    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    expected = {"tests": LIVE_TESTS, "failures": 0, "errors": 0, "skipped": 0}
    assert counts == expected, done.stdout + done.stderr
    assert done.returncode == 0


def test_uploads_of_the_client_arrive_whole_with_their_type(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(bytes(range(256)) * 8)  # seven parts
    environment = {**os.environ, "FAL_KEY": DEFAULT_KEY, "SANDBOX_URL": sandbox.url}
    command = [sys.executable, str(HERE / "fal_client_uploads.py"), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert len(set(made.values())) == UPLOADS
    for name, url in made.items():
        reply = httpx.get(url)
        assert reply.content == file.read_bytes(), name
        assert reply.headers["content-type"] == "image/png", name


def test_a_client_with_a_wrong_key_uploads_nothing(sandbox: SandboxServer, tmp_path: Path) -> None:
    file = tmp_path / "picture.png"
    file.write_bytes(b"x")
    environment = {**os.environ, "FAL_KEY": "wrong:key", "SANDBOX_URL": sandbox.url}
    command = [sys.executable, str(HERE / "fal_client_uploads.py"), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "401" in done.stderr
