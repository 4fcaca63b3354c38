"""At every start what is kept is hidden from other users, and that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dashboard import file_modes
from requests_app.apps import restrict_file_modes


@pytest.fixture
def loose(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of an older version, with its database somewhere else."""
    settings.DATA_DIR = tmp_path / "var"
    settings.DATA_DIR.mkdir()
    database = tmp_path / "elsewhere.sqlite3"
    elsewhere = {"ENGINE": "dashboard.sqlite3", "NAME": str(database)}
    monkeypatch.setitem(settings.DATABASES, "default", elsewhere)  # which `settings` would leave so
    for path in (settings.DATA_DIR / "secret_key", database, Path(f"{database}-wal")):
        path.touch()
        path.chmod(0o644)
    settings.DATA_DIR.chmod(0o755)
    return tmp_path


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode)[-3:] for path in folder.rglob("*")}


def test_an_older_installation_is_tightened_with_a_line_in_the_log(
    loose: Path, caplog: pytest.LogCaptureFixture
) -> None:
    restrict_file_modes()
    assert modes(loose) == {
        "var": "700", "secret_key": "600", "elsewhere.sqlite3": "600", "elsewhere.sqlite3-wal": "600",
    }  # fmt: skip
    assert "could read" in caplog.text
    assert "elsewhere.sqlite3" in caplog.text
    caplog.clear()
    restrict_file_modes()
    assert not caplog.text


def test_what_cannot_be_tightened_is_told_and_the_start_goes_on(
    loose: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(file_modes, "_tightened", refused)
    restrict_file_modes()
    assert "belongs to another user" in caplog.text
