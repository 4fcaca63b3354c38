"""A first start on a machine whose umask lets everyone read: what it makes is readable by its user alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.serving import Serving, free_port

pytestmark = pytest.mark.process


@pytest.fixture(params=[0o022, 0o000], ids=["umask 022", "umask 000"])
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The data folder of an installation that has started and stopped once."""
    serving = Serving(tmp_path, SANDBOX_PORT=str(free_port()))
    usual = os.umask(request.param)
    try:
        serving.start()
        serving.stop()
    finally:
        os.umask(usual)
    yield tmp_path / "data"


def test_a_fresh_start_keeps_everything_for_its_user(fresh: Path) -> None:
    modes = {
        str(path.relative_to(fresh)): (path.is_dir(), stat.S_IMODE(path.lstat().st_mode))
        for path in [fresh, *fresh.rglob("*")]
    }
    assert {".", "secret_key", "faldeck.sqlite3", "sandbox.sqlite3"} <= modes.keys()
    readable = {
        name: oct(mode)
        for name, (is_folder, mode) in modes.items()
        if mode != (0o700 if is_folder else 0o600)
    }
    assert readable == {}
