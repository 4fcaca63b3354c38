"""Test processes that start together do not all compile the same test modules in the same second.

pytest rewrites the asserts of 500 modules, 12 processor seconds, and keeps the outcome; on a fresh clone
processes that collect side by side would each do all of it, one step after another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def import_in_turns(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> None:
    """Import the modules of a whole run, each process from another one on; collection finds them loaded.

    Where a folder or a file is named, or there is one process, there is nothing to gain.
    """
    count = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count == 1 or config.args != config.getini("testpaths"):
        return
    number = int(environment["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    for name in in_turn(module_names(ROOT / "tests"), number, count):
        with suppress(Exception, pytest.skip.Exception):  # collection tells what is wrong with it
            import_module(name)


def module_names(folder: Path) -> list[str]:
    """Of the test modules below the folder, as collection imports them."""
    paths = sorted(folder.rglob("test_*.py"))
    return [".".join(path.relative_to(folder.parent).with_suffix("").parts) for path in paths]


def in_turn(names: list[str], number: int, count: int) -> list[str]:
    """All of them, beginning at this process's share."""
    first = len(names) * number // count
    return names[first:] + names[:first]
