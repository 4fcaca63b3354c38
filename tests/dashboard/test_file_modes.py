"""Nothing that is kept can be read by other users of the machine."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dashboard.file_modes import database_files, kept_in, tighten


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_this_process_makes_nothing_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    assert mode(tmp_path / "file") == 0o600
    assert mode(tmp_path / "folder") == 0o700


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o600), (0o666, 0o600), (0o755, 0o700), (0o440, 0o400)]
)
def test_what_is_looser_is_tightened_and_told(tmp_path: Path, before: int, after: int) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(before)
    assert tighten([file]) == ([file], [])
    assert mode(file) == after
    assert tighten([file]) == ([], [])


def test_a_folder_is_tightened_with_what_lies_in_it(tmp_path: Path) -> None:
    for name in ("faldeck.sqlite3", "secret_key", "sandbox.sqlite3-wal"):
        (tmp_path / name).touch(0o644)
        (tmp_path / name).chmod(0o644)
    tmp_path.chmod(0o755)
    changed, _ = tighten(kept_in(tmp_path))
    assert len(changed) == 4
    assert mode(tmp_path) == 0o700
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_what_a_link_leads_to_is_left_alone(tmp_path: Path) -> None:
    there, link = tmp_path / "there", tmp_path / "link"
    there.touch()
    there.chmod(0o644)
    link.symlink_to(there)
    assert tighten([link]) == ([], [])
    assert mode(there) == 0o644


def test_what_cannot_be_changed_is_told_and_what_is_gone_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for path in (mine, other):
        path.touch()
        path.chmod(0o644)
    chmod = Path.chmod

    def refused(self: Path, wanted: int) -> None:
        if self == other:
            raise PermissionError
        chmod(self, wanted)

    monkeypatch.setattr(Path, "chmod", refused)
    assert tighten([tmp_path / "gone", other, mine]) == ([mine], [other])


def test_the_files_beside_a_database_are_the_databases(tmp_path: Path) -> None:
    names = {path.name for path in database_files(str(tmp_path / "x.sqlite3"))}
    assert names == {"x.sqlite3", "x.sqlite3-wal", "x.sqlite3-shm", "x.sqlite3-journal"}
