"""Clients made from docs/openapi.json by others' generators work against a running installation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import tools
from tests.benchmarks.latency import make_member
from tests.ports import free_port
from tests.process.serving import Serving

HERE = Path(__file__).parent / "generated"
DOCUMENT = tools.ROOT / "docs/openapi.json"

pytestmark = [pytest.mark.conformance, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a program that uses an installation with its sandbox."""
    folder: Path = tmp_path_factory.mktemp("installation")
    with Serving(folder, SANDBOX_PORT=str(free_port())) as serving:
        path = f"{tools.NODE.parent}{os.pathsep}{os.environ['PATH']}"
        yield {"PATH": path, "FALDECK_URL": serving.url, "FALDECK_TOKEN": make_member(serving)}


def ran(words: list[Any], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_python_client_that_is_generated_submits_lists_reads_and_cancels(
    tmp_path: Path, place: dict[str, str]
) -> None:
    generator = tools.contract_program("openapi-python-client")
    if not generator.exists():
        pytest.skip(tools.NO_PACKAGES.format("openapi-python-client"))
    words = [generator, "generate", "--path", DOCUMENT, "--config", HERE / "client.yaml"]
    words += ["--meta", "none", "--output-path", "faldeck_client", "--fail-on-warning"]
    ran(words, tmp_path, place)
    program = [tools.contract_program("python"), HERE / "program.py"]
    seen = json.loads(ran(program, tmp_path, {**place, "PYTHONPATH": str(tmp_path)}))
    assert seen.pop("cancel") in ("asked", "cancelled")
    assert seen == {
        "me": ["ada", "owner", "manage"],
        "submitted": ["completed", 42, "True"],
        "cancelled": "cancelled",
        "listed": [True],
        "headers": ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
        "pages": 2,
        "read": [21, "completed"],
        "output": 42,
        "run": "PK",
        "checked": [False, "/number"],
        "lost": [True, "Not found."],
        "refused": [True, ["body", "endpoint_id"]],
    }


@pytest.mark.long
def test_types_that_are_generated_judge_a_program_that_runs(
    tmp_path: Path, place: dict[str, str]
) -> None:
    installed = tools.npm_project("generated") / "node_modules"
    if not installed.is_dir():
        pytest.skip(tools.NO_PACKAGES.format("openapi-typescript"))
    for name in ("package.json", "tsconfig.json", "program.ts"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(installed)
    generator = installed / "openapi-typescript/bin/cli.js"
    ran([tools.NODE, generator, DOCUMENT, "-o", "faldeck.d.ts"], tmp_path, place)
    ran([tools.NODE, installed / "typescript/bin/tsc", "-p", "."], tmp_path, place)
    seen = json.loads(ran([tools.NODE, "program.ts"], tmp_path, place))
    assert seen.pop("cancel") in ("asked", "cancelled")
    assert seen == {
        "submitted": ["completed", 8],
        "cancelled": "cancelled",
        "listed": True,
        "said": "completed",
    }
